import { ConfigError, type ConfigProblem } from '../errors/index.ts';
import { noSuchOption } from '../config/index.ts';

/** How a cache uses Redis. */
export interface RedisOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://…` for TLS. */
  readonly url: string;
  /**
   * Before all names in Redis. Processes with the same prefix share values; change it when their shape
   * changes. @default 'millpond:' and the name of the cache
   */
  readonly prefix?: string | undefined;
  /** Longest a call waits for Redis, in milliseconds; then it goes on without. @default 50 */
  readonly cacheTimeoutMs?: number | undefined;
  /** Longest until a connection is there, in milliseconds; nobody waits for it. @default 2_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** After this many failures in a row Redis is left alone … @default 5 */
  readonly breakAfter?: number | undefined;
  /** … for this long, in milliseconds, doubling up to 30 s; then it is tried again. @default 1_000 */
  readonly breakMs?: number | undefined;
  /** Larger values stay in memory; in bytes as they are sent. @default 1_048_576 (1 MiB) */
  readonly maxValueBytes?: number | undefined;
  /**
   * Signs values, so that somebody who can write to Redis cannot forge them without knowing it. All processes
   * need the same. @default none: damage is noticed, forgery is not
   */
  readonly secret?: string | undefined;
}

/** The same with nothing missing. */
export interface ResolvedRedisOptions {
  readonly url: string;
  readonly prefix: string;
  readonly cacheTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly breakAfter: number;
  readonly breakMs: number;
  readonly maxValueBytes: number;
  readonly secret: string | undefined;
}

const NUMBERS = Object.freeze({
  cacheTimeoutMs: 50,
  connectTimeoutMs: 2_000,
  breakAfter: 5,
  breakMs: 1_000,
  maxValueBytes: 1024 * 1024,
});
const LONGEST_MS = 2_147_483_647;
/** A `{` would let a cluster spread the keys of one script: they are all kept together by their braces. */
const PREFIX = /^[^\s{}]{1,200}$/;

/** @throws ConfigError listing every fault; never with the URL, which may hold a password */
export function resolveRedisOptions(given: RedisOptions, cacheName: string): ResolvedRedisOptions {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const prefix = `millpond:${cacheName.replaceAll(/[\s{}]/g, '_')}`;
  const options = { prefix, secret: undefined, ...NUMBERS, ...said } as ResolvedRedisOptions;
  const problems = [...unknownKeys(said), ...wrongNumbers(options), ...wrongTexts(options)];
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(options);
}

function unknownKeys(given: object): ConfigProblem[] {
  const known = [...Object.keys(NUMBERS), 'url', 'prefix', 'secret'];
  return Object.keys(given)
    .filter((key) => !known.includes(key))
    .map((key) => problem(key, noSuchOption(key, known)));
}

function wrongNumbers(options: ResolvedRedisOptions): ConfigProblem[] {
  const keys = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[];
  return keys
    .filter((key) => !Number.isInteger(options[key]) || options[key] < 1 || options[key] > LONGEST_MS)
    .map((key) => problem(key, `must be a whole number, 1 to ${LONGEST_MS}.`));
}

function wrongTexts({ url, prefix, secret }: ResolvedRedisOptions): ConfigProblem[] {
  const found: ConfigProblem[] = [];
  if (!isRedisUrl(url))
    found.push(problem('url', 'must be a URL like redis://host:6379 or rediss://user:password@host:6379/0.'));
  if (typeof prefix !== 'string' || !PREFIX.test(prefix))
    found.push(problem('prefix', 'must be 1 to 200 characters without spaces and braces.'));
  if (secret !== undefined && (typeof secret !== 'string' || secret.length < 16))
    found.push(problem('secret', 'must be a text of at least 16 characters.'));
  return found;
}

function isRedisUrl(url: unknown): boolean {
  if (typeof url !== 'string' || !URL.canParse(url)) return false;
  const { protocol, pathname } = new URL(url);
  return /^rediss?:$/.test(protocol) && /^\/?\d*$/.test(pathname);
}

function problem(key: string, message: string): ConfigProblem {
  return { key: `cache.redis.${key}`, message, source: 'options' };
}
