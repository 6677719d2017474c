import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import { ConfigError } from '../errors/index.ts';
import { HttpProblem } from './http-problem.ts';
import { nodeBindings } from './node-bindings.ts';
import { problem } from './option-checks.ts';
import { remembered } from './remembered.ts';

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const NAME = `${LABEL}(?:\\.${LABEL})*`;
const PORT = '(?::\\d{1,5})?';
const ENTRY = new RegExp(`^(?:(?:\\*\\.)?${NAME}|\\[[0-9a-f:.]+\\])${PORT}$`, 'i');
const HOST = new RegExp(`^(${NAME}|\\[[0-9a-f:.]+\\])(${PORT})$`, 'i');

/**
 * Serves only requests for the hosts that are named, and answers others with 400: what an application builds
 * from the `Host` header (links in mails, redirects, cache keys) cannot be made to point elsewhere.
 * `example.com` is that host on every port, `example.com:8080` on that one, `*.example.com` every name below
 * it, not itself.
 *
 * @throws ConfigError for an entry that is no host
 */
export function trustedHosts(hosts: readonly string[]): MiddlewareHandler {
  const isTrusted = trustedHostMatcher(hosts);
  return function trustHost(context, next) {
    const host = hostOf(context);
    if (host !== undefined && isTrusted(host)) return next();
    throw new HttpProblem(400, { detail: 'This host is not served here.' });
  };
}

/** @throws ConfigError for an entry that is no host */
export function trustedHostMatcher(hosts: readonly string[]): (host: string) => boolean {
  const problems = hosts.flatMap((host, index) => {
    const fault = hostCheck(host);
    return fault === undefined ? [] : [problem(`trustedHosts[${index}]`, fault)];
  });
  if (hosts.length === 0) problems.push(problem('trustedHosts', 'must name at least one host'));
  if (problems.length > 0) throw new ConfigError(problems);
  return remembered(hostMatcher(hosts));
}

/** What is wrong with an entry of the list. International names are written in ASCII (`xn--…`). */
function hostCheck(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= 255 && ENTRY.test(value)
    ? undefined
    : 'must be a host name like "api.example.com", "*.example.com" or "example.com:8080"';
}

function hostMatcher(hosts: readonly string[]): (host: string) => boolean {
  const exact = new Set<string>();
  const suffixes: string[] = [];
  for (const host of hosts.map((one) => one.toLowerCase())) {
    if (host.startsWith('*.')) suffixes.push(host.slice(1));
    else exact.add(host);
  }
  return (given) => {
    const [, name, port] = HOST.exec(given) ?? [];
    if (name === undefined || given.length > 255) return false;
    const host = name.toLowerCase();
    const full = host + port;
    if (exact.has(host) || exact.has(full)) return true;
    return suffixes.some((suffix) => isBelow(host, suffix) || isBelow(full, suffix));
  };
}

function isBelow(host: string, suffix: string): boolean {
  return host.length > suffix.length && host.endsWith(suffix);
}

/** Undefined where the request does not say one thing. */
function hostOf(context: Context): string | undefined {
  const incoming = nodeBindings(context)?.incoming;
  if (incoming === undefined) return context.req.header('host') ?? new URL(context.req.url).host;
  return givenHost(incoming);
}

/** Undefined where the request does not say one thing. */
export function givenHost(incoming: IncomingMessage): string | undefined {
  // Node keeps the first of several. A proxy before us may have read the last.
  const { rawHeaders, url = '' } = incoming;
  let given: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (given !== undefined) return undefined;
    given = rawHeaders[at + 1];
  }
  if (url.startsWith('/') || url === '*') return given;
  // An absolute target wins over the header (RFC 9112 §3.2.2). Both must say the same.
  return given !== undefined && authorityOf(url) === given.toLowerCase() ? given : undefined;
}

/** As it is written: the URL parser would correct it. */
function authorityOf(url: string): string | undefined {
  return /^https?:\/\/([^/?#]*)/i.exec(url)?.[1]?.toLowerCase();
}
