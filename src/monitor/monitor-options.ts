import { noSuchOption } from '../config/index.ts';
import { ConfigError, type ConfigProblem } from '../errors/index.ts';
import { Metrics } from '../metrics/index.ts';
import type { MonitoredCache, MonitoredDatabase } from './monitored.ts';

/** What a caller may pass. One of `token`, `authorize` and `open` is needed. */
export interface MonitorOptions {
  readonly databases: readonly MonitoredDatabase[];
  /** Whose figures are shown; it watches the databases and caches from then on. @default new Metrics() */
  readonly metrics?: Metrics | undefined;
  readonly caches?: readonly MonitoredCache[] | undefined;
  /**
   * At least 16 characters, sent as `Authorization: Bearer …`; browsers ask for it as the password, with
   * any user name. @default MILLPOND_MONITOR_TOKEN
   */
  readonly token?: string | undefined;
  /** The application's own answer to who may see the pages, instead of a token. Must not read the body. */
  readonly authorize?: ((request: Request) => boolean | Promise<boolean>) | undefined;
  /**
   * Shows everything to requests from localhost. For development: refused where NODE_ENV is production.
   * @default false
   */
  readonly open?: boolean | undefined;
  /** Where it is mounted. @default '/monitoring' */
  readonly basePath?: string | undefined;
  /** Time between two points of the charts, in milliseconds. @default 1_000 */
  readonly sampleMs?: number | undefined;
  /** Points that are kept. @default 300 */
  readonly maxSamples?: number | undefined;
  /** Pages that are open at once. @default 20 */
  readonly maxClients?: number | undefined;
}

/** The same with nothing missing. */
export interface ResolvedMonitorOptions {
  readonly databases: readonly MonitoredDatabase[];
  readonly metrics: Metrics;
  readonly caches: readonly MonitoredCache[];
  readonly token: string | undefined;
  readonly authorize: ((request: Request) => boolean | Promise<boolean>) | undefined;
  readonly open: boolean;
  readonly basePath: string;
  readonly sampleMs: number;
  readonly maxSamples: number;
  readonly maxClients: number;
}

const NUMBERS = {
  sampleMs: [100, 3_600_000],
  maxSamples: [2, 10_000],
  maxClients: [1, 1_000],
} as const;
const DEFAULTS = { basePath: '/monitoring', sampleMs: 1_000, maxSamples: 300, maxClients: 20 } as const;
const KEYS = ['databases', 'metrics', 'caches', 'token', 'authorize', 'open', ...Object.keys(DEFAULTS)];
const LEAST_TOKEN = 16;
/** Without `.` and `..`, which no address has when it arrives. */
const BASE_PATH = /^(\/(?!\.\.?(\/|$))[\w.~-]{1,100}){1,10}$/;

/**
 * @param environment NODE_ENV and MILLPOND_MONITOR_TOKEN are read
 * @throws ConfigError listing every fault
 */
export function resolveMonitorOptions(
  given: MonitorOptions,
  environment: Readonly<Record<string, string | undefined>>,
): ResolvedMonitorOptions {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { authorize, open = false } = given;
  const isDecided = authorize !== undefined || open;
  const token = given.token ?? (isDecided ? undefined : environment['MILLPOND_MONITOR_TOKEN']);
  const options: Omit<ResolvedMonitorOptions, 'metrics'> = {
    ...DEFAULTS,
    caches: [],
    ...given,
    ...said,
    token,
    authorize,
    open,
  };
  const problems = [
    ...Object.keys(said).flatMap((key) => (KEYS.includes(key) ? [] : [unknownKey(key)])),
    ...accessProblems(options, environment['NODE_ENV'] === 'production'),
    ...(BASE_PATH.test(options.basePath) ? [] : [problem('basePath', "is a path like '/monitoring'.")]),
    ...numberProblems(options),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({ ...options, metrics: given.metrics ?? new Metrics() });
}

type Access = Pick<ResolvedMonitorOptions, 'token' | 'authorize' | 'open'>;

/** Closed by default: nobody sees anything that nobody has decided to show. */
function accessProblems({ token, authorize, open }: Access, isProduction: boolean): ConfigProblem[] {
  const ways = [token !== undefined, authorize !== undefined, open].filter(Boolean).length;
  if (ways === 0)
    return [problem('token', 'is missing: give a token, authorize, or, for development, open.')];
  if (ways > 1) return [problem('token', 'token, authorize and open exclude each other: give one of them.')];
  if (open && isProduction)
    return [problem('open', 'is refused where NODE_ENV is production: give a token, or authorize.')];
  if (token !== undefined && token.length < LEAST_TOKEN)
    return [problem('token', `has at least ${LEAST_TOKEN} characters: it is all that protects the page.`)];
  // Headers are trimmed on their way: such a token would never be the one that arrives.
  if (token !== undefined && token.trim() !== token)
    return [problem('token', "has spaces or a line break at its start or end: a file's last line?")];
  return [];
}

function numberProblems(options: Readonly<Record<keyof typeof NUMBERS, unknown>>): ConfigProblem[] {
  return (Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]).flatMap((key) => {
    const [least, most] = NUMBERS[key];
    const value = options[key];
    const isRight = Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
    return isRight ? [] : [problem(key, `must be a whole number, ${least} to ${most}.`)];
  });
}

function unknownKey(key: string): ConfigProblem {
  return problem(key, noSuchOption(key, KEYS));
}

function problem(key: string, message: string): ConfigProblem {
  return { key: `monitor.${key}`, message, source: 'options' };
}
