import { createHash, timingSafeEqual } from 'node:crypto';
import { answerError } from './answers.ts';
import type { ResolvedMonitorOptions } from './monitor-options.ts';

/** With a header of its own a request is one that other sites' pages cannot send unasked. */
const CHANGE_HEADER = 'x-millpond-monitor';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Decides who may see the pages, before anything else is looked at. */
export class Access {
  readonly #options: Pick<ResolvedMonitorOptions, 'authorize' | 'open'>;
  readonly #expected: Buffer | undefined;

  constructor(options: Pick<ResolvedMonitorOptions, 'token' | 'authorize' | 'open'>) {
    this.#options = options;
    this.#expected = options.token === undefined ? undefined : digest(options.token);
  }

  /**
   * @param client the address that asks, where it is known
   * @returns the refusal, or undefined for those who may go on
   */
  async refuse(request: Request, client?: string): Promise<Response | undefined> {
    const { authorize, open } = this.#options;
    if (this.#expected !== undefined) return this.#hasToken(request) ? undefined : unauthorized();
    if (authorize !== undefined) return (await asks(authorize, request)) ? undefined : forbidden();
    return open && isLoopback(request) && isLocal(client) ? undefined : forbidden();
  }

  #hasToken(request: Request): boolean {
    const sent = credentialsOf(request.headers.get('authorization') ?? '');
    // Compares digests, which all have one length, so that the time it takes reveals nothing about the token.
    return sent !== undefined && timingSafeEqual(digest(sent), this.#expected!);
  }
}

/**
 * Whether a request that changes something was meant by the page: a form or script of another site can
 * neither set the header nor hide where it comes from.
 */
export function isMeant(request: Request): boolean {
  if (request.headers.get(CHANGE_HEADER) === null) return false;
  // The browser's own word, which no page can write. It holds behind proxies that change the host, too.
  const site = request.headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  const origin = request.headers.get('origin');
  if (origin === null) return true;
  // The host alone: behind a proxy that ends TLS the scheme differs.
  return URL.canParse(origin) && new URL(origin).host === hostOf(request);
}

async function asks(
  authorize: (request: Request) => boolean | Promise<boolean>,
  request: Request,
): Promise<boolean> {
  try {
    return (await authorize(request)) === true;
  } catch {
    // In doubt the answer is no. Errors of `authorize` are for its author to notice there.
    return false;
  }
}

/** A foreign page whose name was made to lead here (DNS rebinding) still asks for its own name. */
function isLoopback(request: Request): boolean {
  const url = `http://${hostOf(request)}`;
  return URL.canParse(url) && LOOPBACK.has(new URL(url).hostname);
}

/** Anybody can ask for `localhost`; only where the server cannot say who asks, that must do. */
function isLocal(client: string | undefined): boolean {
  return client === undefined || client === '::1' || client.startsWith('127.');
}

function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host;
}

/** `Bearer <token>`, or `Basic` with the token as the password. */
function credentialsOf(header: string): string | undefined {
  const space = header.indexOf(' ');
  const scheme = header.slice(0, space).toLowerCase();
  const value = header.slice(space + 1).trim();
  if (scheme === 'bearer') return value;
  if (scheme !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function unauthorized(): Response {
  const response = answerError(401, 'A token is needed.');
  response.headers.set('www-authenticate', 'Basic realm="millpond monitor", charset="UTF-8"');
  return response;
}

function forbidden(): Response {
  return answerError(403, 'Not allowed.');
}
