import type { Context, MiddlewareHandler } from 'hono';
import { ConfigError } from '../errors/index.ts';
import { checkOptions, flag, integer, list, problem, text, type Check } from './option-checks.ts';
import { headerPlanOf } from './header-plan.ts';
import { nodeBindings } from './node-bindings.ts';
import { remembered } from './remembered.ts';
import { addVary } from './vary.ts';

export interface CorsOptions {
  /**
   * The origins whose pages may read the answers: `https://app.example.com`, `https://*.example.com` for
   * every name below it, or `*` alone for all of them.
   */
  readonly origins: readonly string[];
  /** Cookies and the like may be sent along. Not with `*`. @default false */
  readonly credentials?: boolean | undefined;
  /** @default GET, HEAD, POST, PUT, PATCH, DELETE */
  readonly methods?: readonly string[] | undefined;
  /** Headers that pages may send, beside the simple ones. @default Authorization, Content-Type */
  readonly allowHeaders?: readonly string[] | undefined;
  /** Headers that pages may read, beside the simple ones. @default none */
  readonly exposeHeaders?: readonly string[] | undefined;
  /** How long a browser may remember the answer to its preflight, in seconds. @default 600 */
  readonly maxAgeSeconds?: number | undefined;
}

const ORIGIN = /^(https?:\/\/)(\*\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:\d{1,5})?$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** So that a missing list is a fault like any other. */
const NONE = { origins: [] };
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const ALLOW_HEADERS = ['Authorization', 'Content-Type'];

const originCheck: Check = (value) =>
  value === '*' || (typeof value === 'string' && value.length <= 300 && ORIGIN.test(value))
    ? undefined
    : 'must be an origin in lower case, without a path, like "https://app.example.com"';
const tokenCheck: Check = (value) =>
  text(100)(value) ?? (TOKEN.test(value as string) ? undefined : 'must be one word');
const CHECKS = {
  origins: list(originCheck),
  credentials: flag,
  methods: list(tokenCheck, 50),
  allowHeaders: list(tokenCheck, 100),
  exposeHeaders: list(tokenCheck, 100),
  maxAgeSeconds: integer(0, 86_400),
};

/** What answers are marked with, for the page that asked. */
export interface CorsMarks {
  /** Undefined where all origins get the same. */
  readonly vary: 'Origin' | undefined;
  /** Names in lower case, each before its value; none for an origin that may not read. */
  headersFor(origin: string | undefined): readonly string[];
}

/**
 * Lets pages of the named origins read the answers. Others get no header that would let them, and their
 * preflight is refused; `null`, the origin of sandboxed frames and files, is nobody's.
 *
 * @throws ConfigError for wrong options, `*` with credentials among them
 */
export function cors(given: CorsOptions): MiddlewareHandler {
  const options = checkCors(given);
  const marks = corsMarks(options);
  const preflightHeaders = toPreflightHeaders(options);
  return async function shareAcrossOrigins(context, next) {
    const origin = context.req.header('origin');
    if (isPreflight(context, origin)) return preflight(marks, preflightHeaders, origin!);
    const bindings = nodeBindings(context);
    const plan = bindings === undefined ? undefined : headerPlanOf(bindings.outgoing);
    plan?.fix(marks.headersFor(origin), marks.vary);
    await next();
    if (plan === undefined) mark(context.res.headers, marks, origin);
    return undefined;
  };
}

/** @throws ConfigError for wrong options, `*` with credentials among them */
function checkCors(given: CorsOptions): CorsOptions {
  const options = checkOptions('cors', { ...NONE, ...given }, CHECKS);
  const { origins, credentials = false } = options;
  const isOpen = origins.includes('*');
  const faults = [];
  if (origins.length === 0) faults.push(problem('cors.origins', 'must name at least one origin'));
  if (isOpen && origins.length > 1) faults.push(problem('cors.origins', 'has "*" and others beside it'));
  if (isOpen && credentials) {
    faults.push(problem('cors.credentials', 'cannot be on with "*": every site could act as its visitors'));
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return options;
}

/** Of options that are right. */
export function corsMarks({ origins, credentials = false, exposeHeaders }: CorsOptions): CorsMarks {
  const isOpen = origins.includes('*');
  const exposed = exposeHeaders?.join(', ') ?? '';
  const isAllowed = originMatcher(origins);
  const headersOf = (origin: string): readonly string[] => {
    if (!isOpen && !isAllowed(origin)) return [];
    const headers = ['access-control-allow-origin', isOpen ? '*' : origin];
    if (credentials) headers.push('access-control-allow-credentials', 'true');
    if (exposed !== '') headers.push('access-control-expose-headers', exposed);
    return headers;
  };
  const known = remembered(headersOf);
  return {
    vary: isOpen ? undefined : 'Origin',
    headersFor: (origin) => (origin === undefined ? [] : known(origin)),
  };
}

function preflight(
  marks: CorsMarks,
  allowed: readonly (readonly [string, string])[],
  origin: string,
): Response {
  const headers = new Headers();
  mark(headers, marks, origin);
  const isAllowed = headers.has('access-control-allow-origin');
  if (isAllowed) for (const [name, value] of allowed) headers.set(name, value);
  headers.delete('access-control-expose-headers');
  return new Response(null, { status: isAllowed ? 204 : 403, headers });
}

function mark(headers: Headers, marks: CorsMarks, origin: string | undefined): void {
  if (marks.vary !== undefined) addVary(headers, marks.vary);
  const own = marks.headersFor(origin);
  for (let at = 0; at < own.length; at += 2) headers.set(own[at]!, own[at + 1]!);
}

function isPreflight(context: Context, origin: string | undefined): boolean {
  return (
    context.req.method === 'OPTIONS' &&
    origin !== undefined &&
    context.req.header('access-control-request-method') !== undefined
  );
}

function originMatcher(origins: readonly string[]): (origin: string) => boolean {
  const exact = new Set(origins.filter((origin) => !origin.includes('*')));
  const below = origins.flatMap((origin) => {
    const [, scheme, wildcard, name, port = ''] = ORIGIN.exec(origin) ?? [];
    return wildcard === undefined ? [] : [{ scheme: scheme!, suffix: `.${name}${port}` }];
  });
  return (origin) => {
    if (exact.has(origin)) return true;
    if (below.length === 0 || !ORIGIN.test(origin) || origin.includes('*')) return false;
    return below.some(({ scheme, suffix }) => origin.startsWith(scheme) && origin.endsWith(suffix));
  };
}

function toPreflightHeaders(options: CorsOptions): readonly (readonly [string, string])[] {
  const { methods = METHODS, allowHeaders = ALLOW_HEADERS, maxAgeSeconds = 600 } = options;
  return [
    ['Access-Control-Allow-Methods', methods.join(', ')],
    ['Access-Control-Allow-Headers', allowHeaders.join(', ')],
    ['Access-Control-Max-Age', String(maxAgeSeconds)],
  ];
}
