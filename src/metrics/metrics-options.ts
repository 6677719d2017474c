import { noSuchOption, type Logger } from '../config/index.ts';
import { ConfigError, type ConfigProblem } from '../errors/index.ts';

/** What a caller may pass. */
export interface MetricsOptions {
  /** Shapes and names of statements that have figures of their own, for each database. @default 500 */
  readonly maxStatements?: number | undefined;
  /** Routes that have figures of their own. @default 200 */
  readonly maxRoutes?: number | undefined;
  /** Requests that last longer, in milliseconds, are counted and announced. 0 = none. @default 1_000 */
  readonly slowRequestMs?: number | undefined;
  /** How many calls of one shape, from one place, in one request make an N+1 suspect. 0 = off. @default 10 */
  readonly nPlusOneThreshold?: number | undefined;
  /** Errors, slow statements, suspects, leaks and notices that are kept, of each. @default 100 */
  readonly maxRecent?: number | undefined;
  /** Where slow requests, suspects and budgets that were passed are written. @default nowhere */
  readonly log?: Logger | undefined;
}

/** The same with nothing missing. */
export interface ResolvedMetricsOptions {
  readonly maxStatements: number;
  readonly maxRoutes: number;
  readonly slowRequestMs: number;
  readonly nPlusOneThreshold: number;
  readonly maxRecent: number;
  readonly log: Logger | undefined;
}

const DEFAULTS = {
  maxStatements: 500,
  maxRoutes: 200,
  slowRequestMs: 1_000,
  nPlusOneThreshold: 10,
  maxRecent: 100,
} as const;
type NumberKey = keyof typeof DEFAULTS;
const RANGES: Readonly<Record<NumberKey, readonly [least: number, most: number]>> = {
  maxStatements: [1, 10_000],
  maxRoutes: [1, 10_000],
  slowRequestMs: [0, 2_147_483_647],
  nPlusOneThreshold: [0, 10_000],
  maxRecent: [1, 10_000],
};
const KEYS = [...Object.keys(DEFAULTS), 'log'];

/** @throws ConfigError listing every fault. Never corrects in silence. */
export function resolveMetricsOptions(given: MetricsOptions = {}): ResolvedMetricsOptions {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options = { log: undefined, ...DEFAULTS, ...said } as ResolvedMetricsOptions;
  const problems = [
    ...Object.keys(said)
      .filter((key) => !KEYS.includes(key))
      .map(unknownKey),
    ...(Object.keys(RANGES) as NumberKey[]).flatMap((key) => outOfRange(key, options[key])),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(options);
}

function unknownKey(key: string): ConfigProblem {
  return { key: `metrics.${key}`, message: noSuchOption(key, KEYS), source: 'options' };
}

function outOfRange(key: NumberKey, value: unknown): ConfigProblem[] {
  const [least, most] = RANGES[key];
  const isCount = !key.endsWith('Ms');
  const isRight =
    typeof value === 'number' && value >= least && value <= most && (!isCount || Number.isInteger(value));
  if (isRight) return [];
  const message = `must be ${isCount ? 'a whole number' : 'milliseconds'}, ${least} to ${most}.`;
  return [{ key: `metrics.${key}`, message, source: 'options' }];
}
