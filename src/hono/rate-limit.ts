import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import type { Logger } from '../config/index.ts';
import { clientAddressBehind, clientNetwork, incomingAddressBehind, networkCheck } from './client-address.ts';
import { HttpProblem } from './http-problem.ts';
import { userOf } from './user.ts';
import { callback, checkOptions, either, integer, list, logger, oneOf, type Check } from './option-checks.ts';
import { withPresetHeaders } from './preset-headers.ts';
import { remembered } from './remembered.ts';
import { SlidingWindow, type RateLimitStore, type Taken, type WindowPolicy } from './sliding-window.ts';
import { StoreGuard } from './store-guard.ts';

export interface RateLimitOptions {
  /** Requests that one client may make … */
  readonly limit: number;
  /** … in any stretch of time of this length, in milliseconds. */
  readonly windowMs: number;
  /**
   * Who counts as one client: the address (of IPv6 the /64), the authenticated user and where there is none
   * the address, or a function; where that returns `undefined` there is no limit.
   * @default 'address'
   */
  readonly key?: 'address' | 'user' | ((context: Context) => string | undefined) | undefined;
  /** Proxies whose `X-Forwarded-For` is believed: addresses and networks. @default none */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Tells limits apart, in headers and in the store. @default 'default' */
  readonly name?: string | undefined;
  /** `new RedisWindow(client)` counts for all processes together. @default the memory of this process */
  readonly store?: RateLimitStore | undefined;
  /** Longest wait for the store, in milliseconds; then this process counts alone for a while. @default 250 */
  readonly storeTimeoutMs?: number | undefined;
  /** Told when the store fails. @default nowhere */
  readonly log?: Pick<Logger, 'warn'> | undefined;
}

const DAY_MS = 86_400_000;
const LONGEST_KEY = 200;
const nameCheck: Check = (value) =>
  typeof value === 'string' && /^[\w-]{1,40}$/.test(value)
    ? undefined
    : 'must be 1 to 40 letters, digits, _ and -';
const storeCheck: Check = (value) =>
  typeof (value as Partial<RateLimitStore> | null)?.take === 'function'
    ? undefined
    : 'must have the method take';
const CHECKS = {
  limit: integer(1, 1_000_000),
  windowMs: integer(1, DAY_MS),
  key: either(oneOf(['address', 'user']), callback),
  trustedProxies: list(networkCheck),
  name: nameCheck,
  store: storeCheck,
  storeTimeoutMs: integer(1, 60_000),
  log: logger('warn'),
};

/**
 * Answers 429 to clients that ask too often, and tells all of them where they stand
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/).
 *
 * @throws ConfigError for wrong options
 */
export function rateLimit(given: RateLimitOptions): MiddlewareHandler {
  return rateLimiter(given).middleware;
}

/** A limit and its middleware. */
export interface RateLimiter {
  readonly middleware: MiddlewareHandler;
  /**
   * Where clients are addresses that are counted in memory: takes a place for one at once, and gives the
   * headers of its answer, flat; undefined where none is left, which the client has yet to be told.
   */
  readonly takeNow: ((incoming: IncomingMessage) => string[] | undefined) | undefined;
}

/** @throws ConfigError for wrong options */
export function rateLimiter(given: RateLimitOptions): RateLimiter {
  const options = checkOptions('rateLimit', { ...REQUIRED, ...given }, CHECKS);
  const { name = 'default', limit, windowMs } = options;
  const policy: WindowPolicy = { limit, windowMs };
  const memory = new SlidingWindow();
  const store = options.store === undefined ? memory : new StoreGuard(options.store, memory, options);
  const keyOf = keyFunction(options);
  const policyHeader = `"${name}";q=${limit};w=${Math.ceil(windowMs / 1_000)}`;
  const middleware: MiddlewareHandler = async function limitRate(context, next) {
    const key = keyOf(context);
    if (key === undefined) return next();
    const taken = await store.take(`${name}:${key}`, policy);
    const headers = [
      ['RateLimit', limitHeader(name, taken)],
      ['RateLimit-Policy', policyHeader],
    ] as const;
    if (!taken.allowed) {
      const seconds = Math.ceil(taken.freeInMs / 1_000);
      const detail = `Too many requests. Try again in ${seconds} s.`;
      const limits = Object.fromEntries(headers);
      throw new HttpProblem(429, { detail, headers: { ...limits, 'Retry-After': String(seconds) } });
    }
    return withPresetHeaders(context, headers, next);
  };
  const isImmediate = options.store === undefined && (options.key ?? 'address') === 'address';
  if (!isImmediate) return { middleware, takeNow: undefined };
  const addressOf = incomingAddressBehind(options.trustedProxies);
  // A new text would be hashed for each request.
  const keyOfAddress = remembered((address) => `${name}:${addressKey(address)}`);
  const takeNow = (incoming: IncomingMessage): string[] | undefined => {
    const taken = memory.take(keyOfAddress(addressOf(incoming) ?? 'none'), policy);
    if (!taken.allowed) return undefined;
    return ['ratelimit', limitHeader(name, taken), 'ratelimit-policy', policyHeader];
  };
  return { middleware, takeNow };
}

/** So that what is missing is a fault like any other. */
const REQUIRED = { limit: Number.NaN, windowMs: Number.NaN };

function limitHeader(name: string, { remaining, freeInMs }: Taken): string {
  return `"${name}";r=${remaining};t=${Math.ceil(freeInMs / 1_000)}`;
}

function keyFunction({
  key = 'address',
  trustedProxies,
}: RateLimitOptions): (context: Context) => string | undefined {
  const addressOf = clientAddressBehind(trustedProxies);
  const byAddress = (context: Context): string => addressKey(addressOf(context));
  if (key === 'address') return byAddress;
  if (key === 'user') {
    return (context) => {
      const user = userOf(context);
      return user === undefined ? byAddress(context) : shortened(`user:${user.id}`);
    };
  }
  return (context) => {
    const own = key(context);
    return own === undefined ? undefined : shortened(`own:${own}`);
  };
}

/** All clients without an address share one place, so that nobody gets around the limit by having none. */
function addressKey(address: string | undefined): string {
  return `address:${clientNetwork(address ?? 'none')}`;
}

/** Keys that clients can make as long as they like are remembered by their digest. */
function shortened(key: string): string {
  return key.length <= LONGEST_KEY ? key : createHash('sha256').update(key).digest('base64url');
}
