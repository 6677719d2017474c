import type { MiddlewareHandler } from 'hono';
import { ConfigError } from '../errors/index.ts';
import type { HeaderEntries } from './header-plan.ts';
import { problem } from './option-checks.ts';
import { withPresetHeaders } from './preset-headers.ts';

/** A header's value, or false to leave it out. */
export type SecurityHeaders = Readonly<Record<string, string | false>>;

/** For a service that answers with data. Pages need a policy of their own, which wins if they set it. */
const DEFAULTS: SecurityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Header field values: https://www.rfc-editor.org/rfc/rfc9110#section-5.5 */
const VALUE = /^[\t\x20-\x7e]{1,8000}$/;
const NAME = /^[a-z][a-z0-9-]{0,100}$/;

/**
 * Sets headers that tell browsers to allow less. A response that has one of them already keeps its own.
 *
 * @throws ConfigError for what is no header
 */
export function securityHeaders(given: SecurityHeaders = {}): MiddlewareHandler {
  const headers = securityHeaderEntries(given);
  return function secureHeaders(context, next) {
    return withPresetHeaders(context, headers, next);
  };
}

/** @throws ConfigError for what is no header */
export function securityHeaderEntries(given: SecurityHeaders = {}): HeaderEntries {
  const own = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value] as const);
  const problems = own.flatMap(([name, value]) => {
    const isRight = NAME.test(name) && (value === false || (typeof value === 'string' && VALUE.test(value)));
    return isRight ? [] : [problem(`securityHeaders.${name.slice(0, 60)}`, 'must be a value, or false')];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.entries({ ...DEFAULTS, ...Object.fromEntries(own) }).filter(
    (entry): entry is [string, string] => entry[1] !== false,
  );
}
