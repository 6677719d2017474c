import { noSuchOption } from '../config/index.ts';
import { ConfigError, type ConfigProblem } from '../errors/index.ts';
import type { RedisOptions } from './redis-options.ts';

/** How long a value is kept, and what happens when it cannot be loaded. Of a cache, or of one call. */
export interface LifetimeOptions {
  /** How long a value is given as it is, in milliseconds; `Infinity`: no limit. @default 60_000 */
  readonly ttlMs?: number | undefined;
  /**
   * How long after that it is still given at once, while one call loads a new one in the background; in
   * milliseconds. @default 0
   */
  readonly staleMs?: number | undefined;
  /**
   * How long after `ttlMs` it is given where loading fails or takes longer than `softTimeoutMs`; in
   * milliseconds. @default 0
   */
  readonly graceMs?: number | undefined;
  /**
   * How long it is remembered that there was nothing (`undefined` or `null`), in milliseconds; 0 = not at
   * all. @default 0
   */
  readonly negativeTtlMs?: number | undefined;
  /** Longest a load may take, in milliseconds; then TimeoutError. 0 = no limit. @default 30_000 */
  readonly loadTimeoutMs?: number | undefined;
  /**
   * Longest wait for a load, in milliseconds, where a value within `graceMs` can be given instead; the load
   * goes on. 0 = the wait for `loadTimeoutMs`. @default 0
   */
  readonly softTimeoutMs?: number | undefined;
  /** After a failed load, how long an old value is given without trying again, in ms. @default 1_000 */
  readonly retryAfterMs?: number | undefined;
}

/** What a caller may pass to `createCache`. */
export interface CacheOptions extends LifetimeOptions {
  /**
   * The name for `getCache(name)`, events and statistics; with Redis, the same in all processes that share
   * values. `false`: not to be found by `getCache`. @default the database's name, or 'main'
   */
  readonly name?: string | false | undefined;
  /** Most values in memory; then the least recently used make room. @default 10_000 */
  readonly maxEntries?: number | undefined;
  /** About as much memory as they may take, in bytes. @default 67_108_864 (64 MiB) */
  readonly maxBytes?: number | undefined;
  /**
   * `ttlMs` is shortened at random by up to this share of it, so that what was loaded together does not
   * expire together; 0 to 1. @default 0.1
   */
  readonly ttlJitter?: number | undefined;
  /**
   * What callers hold: 'freeze' gives all of them the one value, its arrays and plain objects frozen; 'clone'
   * gives each a copy; 'share' gives all of them the one value as it is. @default 'freeze'
   */
  readonly values?: 'freeze' | 'clone' | 'share' | undefined;
  /**
   * Whose values these are: the tenant or user of the running call, asked at each call. Becomes part of every
   * key. Return null for what belongs to nobody; undefined is an error. @default none
   */
  readonly scope?: (() => unknown) | undefined;
  /** A second tier that several processes share, and through which they tell each other about changes. */
  readonly redis?: RedisOptions | undefined;
}

export type Lifetime = { readonly [Name in keyof LifetimeOptions]-?: number };

/** The same with nothing missing. */
export interface ResolvedCacheOptions extends Lifetime {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly ttlJitter: number;
  readonly values: 'freeze' | 'clone' | 'share';
  readonly scope: (() => unknown) | undefined;
}

const LIFETIME: Lifetime = Object.freeze({
  ttlMs: 60_000,
  staleMs: 0,
  graceMs: 0,
  negativeTtlMs: 0,
  loadTimeoutMs: 30_000,
  softTimeoutMs: 0,
  retryAfterMs: 1_000,
});

const SIZES = Object.freeze({ maxEntries: 10_000, maxBytes: 64 * 1024 * 1024, ttlJitter: 0.1 });

interface Range {
  readonly least: number;
  readonly most: number;
  readonly unit: 'a whole number' | 'a number' | 'milliseconds';
}

/** The longest time a timer can take: 24 days. */
const LONGEST_MS = 2_147_483_647;
const KEPT: Range = { least: 0, most: Infinity, unit: 'milliseconds' };
const WAITED: Range = { least: 0, most: LONGEST_MS, unit: 'milliseconds' };
const LIFETIME_RANGES: Readonly<Record<keyof Lifetime, Range>> = {
  ttlMs: KEPT,
  staleMs: KEPT,
  graceMs: KEPT,
  negativeTtlMs: KEPT,
  loadTimeoutMs: WAITED,
  softTimeoutMs: WAITED,
  retryAfterMs: KEPT,
};
const SIZE_RANGES: Readonly<Record<keyof typeof SIZES, Range>> = {
  // Memory for the list of all entries is reserved at once.
  maxEntries: { least: 1, most: 10_000_000, unit: 'a whole number' },
  maxBytes: { least: 1, most: Number.MAX_SAFE_INTEGER, unit: 'a whole number' },
  ttlJitter: { least: 0, most: 1, unit: 'a number' },
};
const VALUES: readonly unknown[] = ['freeze', 'clone', 'share'];
const OTHER_KEYS: readonly string[] = ['name', 'values', 'scope', 'redis'];

/** @throws ConfigError listing every fault. */
export function resolveCacheOptions(given: CacheOptions): ResolvedCacheOptions {
  const options = {
    ...LIFETIME,
    ...SIZES,
    values: 'freeze' as const,
    scope: undefined,
    ...withoutUndefined(given),
  };
  const ranges = { ...LIFETIME_RANGES, ...SIZE_RANGES };
  const problems = [
    ...unknownKeys(given, [...Object.keys(ranges), ...OTHER_KEYS]),
    ...outOfRange(options, ranges),
    ...contradictions(options),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(options);
}

/**
 * The lifetime of one call's value: the call's own options, and the cache's for the rest. @param also names
 * that the caller reads itself @throws ConfigError listing every fault.
 */
export function resolveLifetime(
  given: LifetimeOptions,
  cache: Lifetime,
  also: readonly string[] = [],
): Lifetime {
  const options = { ...pickLifetime(cache), ...withoutUndefined(given) };
  const problems = [
    ...unknownKeys(given, [...Object.keys(LIFETIME_RANGES), ...also]),
    ...outOfRange(options, LIFETIME_RANGES),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  return options;
}

function pickLifetime(from: Lifetime): Lifetime {
  const { ttlMs, staleMs, graceMs, negativeTtlMs, loadTimeoutMs, softTimeoutMs, retryAfterMs } = from;
  return { ttlMs, staleMs, graceMs, negativeTtlMs, loadTimeoutMs, softTimeoutMs, retryAfterMs };
}

function withoutUndefined<T extends object>(given: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said) as { [Name in keyof T]: Exclude<T[Name], undefined> };
}

function unknownKeys(given: object, known: readonly string[]): ConfigProblem[] {
  return Object.keys(given)
    .filter((key) => !known.includes(key))
    .map((key) => problem(key, noSuchOption(key, known)));
}

function outOfRange(options: object, ranges: Readonly<Record<string, Range>>): ConfigProblem[] {
  return Object.entries(ranges).flatMap(([key, range]) => {
    const value = (options as Record<string, unknown>)[key];
    if (isWithin(range, value)) return [];
    const { least, most, unit } = range;
    return [problem(key, `must be ${unit}, ${least} to ${most}; it is ${shown(value)}.`)];
  });
}

function contradictions({ values, scope }: { values: unknown; scope: unknown }): ConfigProblem[] {
  const found: ConfigProblem[] = [];
  if (!VALUES.includes(values)) found.push(problem('values', "must be 'freeze', 'clone' or 'share'."));
  if (scope !== undefined && typeof scope !== 'function')
    found.push(problem('scope', 'must be a function that says whose values these are.'));
  return found;
}

function isWithin({ least, most, unit }: Range, value: unknown): boolean {
  if (typeof value !== 'number' || !(value >= least && value <= most)) return false;
  return unit !== 'a whole number' || Number.isInteger(value);
}

function shown(value: unknown): string {
  return typeof value === 'number' || value === null ? String(value) : `of type ${typeof value}`;
}

function problem(key: string, message: string): ConfigProblem {
  return { key: `cache.${key}`, message, source: 'options' };
}
