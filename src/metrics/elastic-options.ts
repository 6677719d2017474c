import { noSuchOption } from '../config/index.ts';
import { ConfigError, type ConfigProblem } from '../errors/index.ts';

/** Where lines are shipped, and how many may wait. */
export interface ElasticShipperOptions {
  /** Of Elasticsearch, without a path of its own: `https://logs.example.com:9200`. */
  readonly url: string;
  /** An API key, as Elasticsearch gives it out in its encoded form. Shown nowhere. */
  readonly apiKey?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** An index or a data stream. @default 'logs-millpond-default' */
  readonly index?: string | undefined;
  /** Longest a line waits for others, in milliseconds. @default 1_000 */
  readonly flushMs?: number | undefined;
  /** A request holds at most this much, in bytes. @default 1_000_000 */
  readonly maxBatchBytes?: number | undefined;
  /** Waiting lines hold at most this much, in bytes, those under way included. @default 10_000_000 */
  readonly maxQueueBytes?: number | undefined;
  /**
   * What happens to a line that finds no room. `drop`: the oldest that waits is dropped and counted, for
   * loggers, which do not wait. `wait`: the stream says so to whoever pipes into it. @default 'drop'
   */
  readonly whenFull?: 'drop' | 'wait' | undefined;
  /** Longest a request may take, in milliseconds. @default 10_000 */
  readonly requestTimeoutMs?: number | undefined;
  /** The first pause after a failed request, in milliseconds; it doubles each time … @default 500 */
  readonly retryMinMs?: number | undefined;
  /** … up to this. @default 30_000 */
  readonly retryMaxMs?: number | undefined;
}

/** The same with nothing missing, and the credentials as a header. */
export interface ResolvedElasticOptions {
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly index: string;
  readonly flushMs: number;
  readonly maxBatchBytes: number;
  readonly maxQueueBytes: number;
  readonly whenFull: 'drop' | 'wait';
  readonly requestTimeoutMs: number;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
}

const NUMBERS = {
  flushMs: 1_000,
  maxBatchBytes: 1_000_000,
  maxQueueBytes: 10_000_000,
  requestTimeoutMs: 10_000,
  retryMinMs: 500,
  retryMaxMs: 30_000,
} as const;
const KEYS = ['url', 'apiKey', 'username', 'password', 'index', 'whenFull', ...Object.keys(NUMBERS)];
/** https://www.elastic.co/guide/en/elasticsearch/reference/current/indices-create-index.html */
const INDEX = /^[a-z0-9][a-z0-9._-]{0,254}$/;

/** @throws ConfigError listing every fault, without any secret */
export function resolveElasticOptions(given: ElasticShipperOptions): ResolvedElasticOptions {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options = { index: 'logs-millpond-default', whenFull: 'drop', ...NUMBERS, ...said } as const;
  const url = URL.canParse(String(given.url)) ? new URL(given.url) : undefined;
  const problems = [
    ...Object.keys(said).flatMap((key) => (KEYS.includes(key) ? [] : [unknownKey(key)])),
    ...urlProblems(url),
    ...credentialProblems(given),
    ...(INDEX.test(options.index) ? [] : [problem('index', 'is no name of an index.')]),
    ...(['drop', 'wait'].includes(options.whenFull) ? [] : [problem('whenFull', "is 'drop' or 'wait'.")]),
    ...numberProblems(options),
  ];
  if (problems.length > 0 || url === undefined) throw new ConfigError(problems);
  return Object.freeze({ ...options, url: new URL('_bulk', withSlash(url)), authorization: headerOf(given) });
}

function urlProblems(url: URL | undefined): ConfigProblem[] {
  if (url === undefined || !/^https?:$/.test(url.protocol))
    return [problem('url', 'must be an http(s) URL.')];
  // fetch refuses such an URL, and messages that quote it would show the password.
  if (url.username !== '' || url.password !== '')
    return [problem('url', 'must hold no password: pass username and password, or apiKey.')];
  return [];
}

/** What a header can hold. Else `fetch` refuses it with a message that quotes it. */
const HEADER_TEXT = /^[\x21-\x7e]+$/;

function credentialProblems({ apiKey, username, password }: ElasticShipperOptions): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (apiKey !== undefined && !HEADER_TEXT.test(apiKey))
    problems.push(problem('apiKey', 'is empty, or holds what no header can.'));
  if (apiKey !== undefined && (username !== undefined || password !== undefined))
    problems.push(problem('apiKey', 'excludes username and password: give one or the other.'));
  if ((username === undefined) !== (password === undefined))
    problems.push(problem(username === undefined ? 'username' : 'password', 'is missing beside the other.'));
  return problems;
}

function numberProblems(options: Readonly<Record<keyof typeof NUMBERS, unknown>>): ConfigProblem[] {
  return (Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]).flatMap((key) => {
    const value = options[key];
    const isRight = typeof value === 'number' && value >= 1 && value <= 2_147_483_647;
    return isRight ? [] : [problem(key, 'must be a number from 1 to 2147483647.')];
  });
}

function withSlash(url: URL): URL {
  return url.pathname.endsWith('/') ? url : new URL(`${url.href}/`);
}

function headerOf({ apiKey, username, password }: ElasticShipperOptions): string | undefined {
  if (apiKey !== undefined) return `ApiKey ${apiKey}`;
  if (username === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function unknownKey(key: string): ConfigProblem {
  return problem(key, noSuchOption(key, KEYS));
}

function problem(key: string, message: string): ConfigProblem {
  return { key: `elastic.${key}`, message, source: 'options' };
}
