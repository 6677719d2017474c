import { noSuchOption, type PoolSettings } from '../config/index.ts';
import { ConfigError, type ConfigProblem } from '../errors/index.ts';

/**
 * What a caller may pass. 0 means "never" or "off" unless stated otherwise; `DEFAULTS` fills in what is not
 * given.
 */
export interface PoolOptions extends Omit<PoolSettings, 'preset'> {
  /** Longest a ping or a reset may take; then the connection counts as dead. @default 2_000 */
  readonly checkTimeoutMs?: number | undefined;
  /** Longest the pool waits for a connection to end before it gives up on it. @default 2_000 */
  readonly destroyTimeoutMs?: number | undefined;
  /**
   * After a failed attempt to open, the next comes within this time, chosen by chance; the range doubles each
   * time … @default 10
   */
  readonly createRetryMinMs?: number | undefined;
  /** … up to this. @default 5_000 */
  readonly createRetryMaxMs?: number | undefined;
}

/** The same with nothing missing. */
export type ResolvedPoolOptions = { readonly [Name in keyof PoolOptions]-?: number };

const DEFAULTS: ResolvedPoolOptions = Object.freeze({
  max: 10,
  acquireTimeoutMs: 5_000,
  min: 1,
  maxOverflow: 0,
  maxWaiting: 1_000,
  idleTimeoutMs: 600_000,
  maxLifetimeMs: 1_800_000,
  keepaliveMs: 120_000,
  pingAfterIdleMs: 1_000,
  leakAfterMs: 10_000,
  warnAcquireMs: 2_000,
  createTimeoutMs: 5_000,
  checkTimeoutMs: 2_000,
  destroyTimeoutMs: 2_000,
  createRetryMinMs: 10,
  createRetryMaxMs: 5_000,
});

type Key = keyof ResolvedPoolOptions;

/** What values an option may have. */
interface Range {
  readonly least: number;
  readonly most: number;
  readonly isCount: boolean;
}

/** The longest time a timer can take: 24 days. */
const LONGEST_MS = 2_147_483_647;
const ANY_TIME: Range = { least: 0, most: LONGEST_MS, isCount: false };
/** For times that must be above 0 for anything to succeed. */
const SOME_TIME: Range = { least: 1, most: LONGEST_MS, isCount: false };
const RANGES: Readonly<Record<Key, Range>> = {
  max: { least: 1, most: 10_000, isCount: true },
  acquireTimeoutMs: ANY_TIME,
  min: { least: 0, most: 10_000, isCount: true },
  maxOverflow: { least: 0, most: 10_000, isCount: true },
  maxWaiting: { least: 0, most: 1_000_000, isCount: true },
  idleTimeoutMs: ANY_TIME,
  maxLifetimeMs: ANY_TIME,
  keepaliveMs: ANY_TIME,
  pingAfterIdleMs: ANY_TIME,
  leakAfterMs: ANY_TIME,
  warnAcquireMs: ANY_TIME,
  createTimeoutMs: SOME_TIME,
  checkTimeoutMs: SOME_TIME,
  destroyTimeoutMs: SOME_TIME,
  createRetryMinMs: SOME_TIME,
  createRetryMaxMs: SOME_TIME,
};
const KEYS = Object.keys(RANGES) as Key[];

/** @throws ConfigError listing every fault. Never corrects in silence. */
export function resolvePoolOptions(given: PoolOptions = {}): ResolvedPoolOptions {
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  const unknown = said.filter(([key]) => !Object.hasOwn(DEFAULTS, key));
  const options: ResolvedPoolOptions = {
    ...DEFAULTS,
    ...(Object.fromEntries(said) as Partial<ResolvedPoolOptions>),
  };
  const problems = [
    ...unknown.map(([key]) => unknownKey(key)),
    ...wrongValues(options),
    ...contradictions(options),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(options);
}

function unknownKey(key: string): ConfigProblem {
  return problem(key, noSuchOption(key, KEYS));
}

function wrongValues(options: ResolvedPoolOptions): ConfigProblem[] {
  return KEYS.filter((key) => !isWithin(RANGES[key], options[key])).map((key) => {
    const { least, most, isCount } = RANGES[key];
    const allowed = `${isCount ? 'a whole number' : 'milliseconds'}, ${least} to ${most}`;
    return problem(key, `must be ${allowed}; it is ${shown(options[key])}.`);
  });
}

function contradictions({
  min,
  max,
  createRetryMinMs,
  createRetryMaxMs,
}: ResolvedPoolOptions): ConfigProblem[] {
  const found: ConfigProblem[] = [];
  if (min > max) found.push(problem('min', `is ${min}, more than max, which is ${max}.`));
  if (createRetryMinMs > createRetryMaxMs) {
    const message = `is ${createRetryMinMs}, more than createRetryMaxMs, which is ${createRetryMaxMs}.`;
    found.push(problem('createRetryMinMs', message));
  }
  return found;
}

function isWithin({ least, most, isCount }: Range, value: unknown): boolean {
  return (
    typeof value === 'number' && value >= least && value <= most && (!isCount || Number.isInteger(value))
  );
}

function shown(value: unknown): string {
  return typeof value === 'number' || value === null ? String(value) : `of type ${typeof value}`;
}

function problem(key: string, message: string): ConfigProblem {
  return { key: `pool.${key}`, message, source: 'options' };
}
