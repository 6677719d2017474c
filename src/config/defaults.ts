import type { FlatOptions } from './schema.ts';
import type { Dialect } from './text-names.ts';

type Defaults = Partial<FlatOptions>;

const MIB = 1_024 ** 2;
/** More readers than this contend for the file's lock and memory sooner than they help. */
const MAX_DEFAULT_READERS = 4;

const EVERYWHERE = {
  pooled: true,
  readOnly: false,
  autoMigrate: false,
  durability: 'full',
  queryTimeoutMs: 30_000,
  transactionTimeoutMs: 30_000,
  idleInTransactionTimeoutMs: 10_000,
  cancelGraceMs: 250,
  closeTimeoutMs: 10_000,
  log: 'warn',
  slowQueryMs: 1_000,
  exposeParams: false,
  busyTimeoutMs: 5_000,
  statementCacheSize: 200,
  inlineReads: true,
  inlineBudgetMs: 2,
  'pool.acquireTimeoutMs': 5_000,
  'pool.maxOverflow': 0,
  'pool.pingAfterIdleMs': 1_000,
  'pool.leakAfterMs': 2_000,
  'pool.warnAcquireMs': 2_000,
  'pool.createTimeoutMs': 5_000,
  'healthCheck.enabled': true,
  'healthCheck.intervalMs': 60_000,
  'healthCheck.reconnect': true,
  'healthCheck.maxRetries': 3,
  'healthCheck.retryIntervalMs': 5_000,
  'replica.maxLagMs': 10_000,
  'replica.waitMs': 100,
  'replica.maxFallback': 5,
  'replica.checkIntervalMs': 1_000,
  'postgres.preparedStatements': true,
  'postgres.throughPooler': false,
  'sqlite.journalMode': 'wal',
  'sqlite.synchronous': 'full',
  'sqlite.foreignKeys': true,
  'sqlite.cacheSizeKiB': 16_384,
  'sqlite.mmapSizeBytes': 128 * MIB,
  'sqlite.walCheckpointBytes': 16 * MIB,
  'sqlite.journalSizeLimitBytes': 64 * MIB,
  'sqlite.trustedSchema': false,
} as const satisfies Defaults;

/**
 * What differs by engine. A reader of SQLite is a thread on this machine: it does not wear out, and no link
 * to it can drop.
 */
const BY_DIALECT = {
  sqlite: {
    'pool.min': 0,
    'pool.max': MAX_DEFAULT_READERS,
    'pool.maxWaiting': 10_000,
    'pool.idleTimeoutMs': 0,
    'pool.maxLifetimeMs': 0,
    'pool.keepaliveMs': 0,
  },
  postgres: {
    'pool.min': 1,
    'pool.max': 10,
    'pool.maxWaiting': 1_000,
    'pool.idleTimeoutMs': 20_000,
    'pool.maxLifetimeMs': 1_800_000,
    'pool.keepaliveMs': 120_000,
  },
} as const satisfies Record<Dialect, Defaults>;

/** What differs with `NODE_ENV=production`. */
const IN_PRODUCTION = {
  sqlite: { 'pool.leakAfterMs': 10_000 },
  postgres: { 'pool.leakAfterMs': 10_000, 'pool.max': 20, 'pool.idleTimeoutMs': 30_000 },
} as const satisfies Record<Dialect, Defaults>;

/** What `pool.preset` stands for. */
export const PRESETS: Readonly<Record<'development' | 'production', Defaults>> = {
  development: { 'pool.max': 5, 'pool.maxOverflow': 10 },
  production: {
    'pool.max': 20,
    'pool.maxOverflow': 40,
    'pool.maxLifetimeMs': 3_600_000,
    'pool.pingAfterIdleMs': 0,
  },
};

export interface Circumstances {
  readonly dialect: Dialect;
  /** `NODE_ENV` is `production`. */
  readonly production: boolean;
  /** Of this machine, as far as this process may use them. */
  readonly cores: number;
  /** The database lives in memory, where each connection would have one of its own. */
  readonly inMemory: boolean;
}

/** Every option's value where nothing sets it. */
export function defaultsFor({ dialect, production, cores, inMemory }: Circumstances): FlatOptions {
  const values = { ...EVERYWHERE, ...BY_DIALECT[dialect], ...(production ? IN_PRODUCTION[dialect] : {}) };
  if (dialect === 'postgres') return values;
  return { ...values, pooled: !inMemory, 'pool.max': Math.min(MAX_DEFAULT_READERS, Math.max(1, cores)) };
}
