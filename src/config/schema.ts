import { z } from 'zod';
import type {
  DatabaseOptions,
  HealthCheckSettings,
  Logger,
  LogLevel,
  PoolSettings,
  PostgresSettings,
  ReplicaSettings,
  SqliteSettings,
} from './options.ts';
import { count, duration, fineDuration, onOff, size, text, word, type Rule } from './rules.ts';

type Rules<T> = { readonly [Key in keyof T]-?: Rule<NonNullable<T[Key]>> };
type Group = 'pool' | 'healthCheck' | 'postgres' | 'replica' | 'sqlite';
type AddressKey = 'url' | 'writeUrl' | 'readUrls';
type PlainSettings = Omit<DatabaseOptions, Group | AddressKey | 'name'>;

/** Every option that is one value, by its full name. */
export type FlatOptions = Omit<Flat, WithoutDefault> & Pick<Partial<Flat>, WithoutDefault>;
type Flat = Required<PlainSettings> &
  Prefixed<'pool', PoolSettings> &
  Prefixed<'healthCheck', HealthCheckSettings> &
  Prefixed<'postgres', PostgresSettings> &
  Prefixed<'replica', ReplicaSettings> &
  Prefixed<'sqlite', SqliteSettings>;
type WithoutDefault = 'initScript' | 'migrationsFolder' | 'pool.preset' | 'postgres.searchPath';
type Prefixed<Name extends Group, T> = {
  readonly [Key in keyof T & string as `${Name}.${Key}`]-?: NonNullable<T[Key]>;
};
type PrefixedRules<Name extends Group, T> = { readonly [Key in keyof T & string as `${Name}.${Key}`]: Rule };
/** `pool.max`, `durability`: what settings, defaults and sources are filed under. */
export type OptionName = keyof FlatOptions;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
// Long enough for any wait here, and far below 2³¹ ms, where setTimeout fires at once.
const DAY = 24 * HOUR;
const MIB = 1_024 ** 2;

const TOP: Rules<PlainSettings> = {
  pooled: onOff(),
  readOnly: onOff(),
  durability: word('full', 'process'),
  queryTimeoutMs: duration(0, DAY),
  transactionTimeoutMs: duration(0, DAY),
  idleInTransactionTimeoutMs: duration(0, DAY),
  cancelGraceMs: duration(0, MINUTE),
  closeTimeoutMs: duration(0, HOUR),
  log: logRule(),
  slowQueryMs: duration(0, DAY),
  exposeParams: onOff(),
  initScript: text('the path of an SQL file'),
  autoMigrate: onOff(),
  migrationsFolder: text('the path of a folder'),
  busyTimeoutMs: duration(0, 10 * MINUTE),
  statementCacheSize: count(1, 10_000),
  inlineReads: onOff(),
  inlineBudgetMs: fineDuration(0.1, 100),
};

const POOL: Rules<PoolSettings> = {
  max: count(1, 1_000),
  acquireTimeoutMs: duration(0, HOUR),
  min: count(0, 1_000),
  maxOverflow: count(0, 1_000),
  maxWaiting: count(0, 1_000_000),
  idleTimeoutMs: duration(0, DAY),
  maxLifetimeMs: duration(0, DAY),
  keepaliveMs: duration(0, DAY),
  pingAfterIdleMs: duration(0, DAY),
  leakAfterMs: duration(0, DAY),
  warnAcquireMs: duration(0, DAY),
  createTimeoutMs: duration(1, 10 * MINUTE),
  preset: word('development', 'production'),
};

const HEALTH_CHECK: Rules<HealthCheckSettings> = {
  enabled: onOff(),
  intervalMs: duration(100, DAY),
  reconnect: onOff(),
  maxRetries: count(0, 1_000),
  retryIntervalMs: duration(10, HOUR),
};

const REPLICA: Rules<ReplicaSettings> = {
  maxLagMs: duration(0, DAY),
  waitMs: duration(0, MINUTE),
  maxFallback: count(0, 1_000),
  checkIntervalMs: duration(50, MINUTE),
};

const POSTGRES: Rules<PostgresSettings> = {
  searchPath: text('names of schemas, parted by commas'),
  preparedStatements: onOff(),
  throughPooler: onOff(),
};

const SQLITE: Rules<SqliteSettings> = {
  journalMode: word('wal', 'delete', 'truncate'),
  // No 'off': it can corrupt the file when power fails: https://sqlite.org/pragma.html#pragma_synchronous
  synchronous: word('normal', 'full', 'extra'),
  foreignKeys: onOff(),
  cacheSizeKiB: size('KiB', 64, 4 * MIB),
  // The most a usual build maps: https://sqlite.org/compile.html#max_mmap_size
  mmapSizeBytes: size('bytes', 0, 0x7fff_0000),
  walCheckpointBytes: size('bytes', MIB / 16, 1_024 * MIB),
  journalSizeLimitBytes: size('bytes', MIB, 65_536 * MIB),
  trustedSchema: onOff(),
};

/** What each option accepts, in the order in which people need them. */
export const RULES: Readonly<Record<OptionName, Rule>> = {
  ...TOP,
  ...prefixed('pool', POOL),
  ...prefixed('healthCheck', HEALTH_CHECK),
  ...prefixed('replica', REPLICA),
  ...prefixed('postgres', POSTGRES),
  ...prefixed('sqlite', SQLITE),
};

export const OPTION_NAMES: readonly OptionName[] = Object.keys(RULES) as OptionName[];

const ADDRESS = text('a database URL');

/** What the keys accept that are no values of `RULES`: addresses, the name, and groups of options. */
export const OTHER_KEYS: Readonly<Record<Group | AddressKey | 'name', string>> = {
  url: ADDRESS.allowed,
  writeUrl: ADDRESS.allowed,
  readUrls: 'a list of at most 100 database URLs',
  name: 'false, or a name of at most 64 letters, digits, _ and - that begins with a letter',
  pool: `an object with ${Object.keys(POOL).join(', ')}`,
  healthCheck: `an object with ${Object.keys(HEALTH_CHECK).join(', ')}`,
  replica: `an object with ${Object.keys(REPLICA).join(', ')}`,
  postgres: `an object with ${Object.keys(POSTGRES).join(', ')}`,
  sqlite: `an object with ${Object.keys(SQLITE).join(', ')}`,
};

const FILE_SHAPE = {
  url: ADDRESS.schema,
  writeUrl: ADDRESS.schema,
  readUrls: z.array(ADDRESS.schema).max(100),
  ...schemas(TOP),
  pool: z.strictObject(schemas(POOL)).partial(),
  healthCheck: z.strictObject(schemas(HEALTH_CHECK)).partial(),
  replica: z.strictObject(schemas(REPLICA)).partial(),
  postgres: z.strictObject(schemas(POSTGRES)).partial(),
  sqlite: z.strictObject(schemas(SQLITE)).partial(),
};
const NAME = z.union([z.literal(false), z.string().regex(/^[a-z][\w-]{0,63}$/i)]);

/** The options of a database in a configuration file. */
export const fileSchema: z.ZodType = z.strictObject(FILE_SHAPE).partial();
/** The options that `openDatabase` takes. */
export const optionsSchema: z.ZodType = z.strictObject({ ...FILE_SHAPE, name: NAME }).partial();

function logRule(): Rule<LogLevel | Logger> {
  const level = word('silent', 'error', 'warn', 'info', 'debug');
  const allowed = `${level.allowed}, or in code a logger with the methods debug, info, warn and error`;
  return { ...level, schema: z.union([level.schema, z.custom<Logger>(isLogger)]), allowed };
}

function isLogger(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const logger = value as Record<string, unknown>;
  return ['debug', 'info', 'warn', 'error'].every((method) => typeof logger[method] === 'function');
}

function prefixed<Name extends Group, T>(group: Name, rules: Rules<T>): PrefixedRules<Name, T> {
  const entries = Object.entries<Rule>(rules).map(([key, rule]) => [`${group}.${key}`, rule]);
  return Object.fromEntries(entries) as PrefixedRules<Name, T>;
}

function schemas(rules: Readonly<Record<string, Rule>>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(rules).map(([key, rule]) => [key, rule.schema]));
}
