/** Where log lines go: pino and most other loggers fit. Called with the fields first, then the sentence. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The least important lines that are still written. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Where the database is and how millpond works with it. Everything but the address has a default. */
export interface DatabaseOptions {
  /**
   * `sqlite:data/app.db`, `sqlite:///var/lib/app.db`, `sqlite::memory:`, `file:app.db`, a path that ends in
   * `.db`, `.sqlite` or `.sqlite3`, or `postgres://user:password@host:5432/name`. Options may follow as
   * parameters: `sqlite:app.db?pool_max=4&durability=process`.
   * @default DATABASE_URL, then the configuration file
   */
  readonly url?: string | undefined;
  /**
   * The name for `getDb(name)` and for the section of the configuration file. `false`: as 'main', but not
   * registered.
   * @default 'main'
   */
  readonly name?: string | false | undefined;
  /** Connections and waiting. */
  readonly pool?: PoolSettings | undefined;
  /**
   * False: one connection serves everything, with the same API.
   * @default true; false for `sqlite::memory:`
   */
  readonly pooled?: boolean | undefined;
  /** Refuses every write. @default false */
  readonly readOnly?: boolean | undefined;
  /**
   * What a commit survives: 'full' a power failure, 'process' the end of the process. SQLite only.
   * @default 'full'
   */
  readonly durability?: 'full' | 'process' | undefined;

  /**
   * Longest a statement may take, waiting included, in milliseconds; then TimeoutError. 0 = no limit.
   * @default 30_000
   */
  readonly queryTimeoutMs?: number | undefined;
  /**
   * Longest a transaction may last from its BEGIN, in milliseconds; then it is rolled back. 0 = no limit.
   * @default 30_000
   */
  readonly transactionTimeoutMs?: number | undefined;
  /**
   * Longest an open transaction may be without a statement, in milliseconds; then it is rolled back. 0 = no
   * limit.
   * @default 10_000
   */
  readonly idleInTransactionTimeoutMs?: number | undefined;
  /** Longest wait for a stopped statement's rollback to be confirmed, in milliseconds. @default 250 */
  readonly cancelGraceMs?: number | undefined;
  /**
   * Longest wait of `close()` for work under way, in milliseconds; then it is rolled back. 0 = do not wait.
   * @default 10_000
   */
  readonly closeTimeoutMs?: number | undefined;

  /** A level, or a logger, which decides for itself. @default 'warn' */
  readonly log?: LogLevel | Logger | undefined;
  /** Statements that take longer, in milliseconds, are announced as `query:slow`. 0 = none. @default 1_000 */
  readonly slowQueryMs?: number | undefined;
  /** Shows bound values in events and logs. They may be secrets. @default false */
  readonly exposeParams?: boolean | undefined;
  /** Regular checks that the database answers. */
  readonly healthCheck?: HealthCheckSettings | undefined;

  /**
   * An SQL file, run once when the SQLite database is new. Relative to the working directory.
   * @default none
   */
  readonly initScript?: string | undefined;
  /**
   * Applies pending migrations before the database has users. The variable AUTO_MIGRATE applies to 'main'
   * only.
   * @default false
   */
  readonly autoMigrate?: boolean | undefined;
  /**
   * Where the migrations are, relative to the working directory. Where it is set and `autoMigrate` is off,
   * `db.health()` says whether some are pending.
   * @default none; with `autoMigrate`, 'migrations'
   */
  readonly migrationsFolder?: string | undefined;
  /**
   * Longest wait for another process's lock, in milliseconds. 0 = do not wait. SQLite only.
   * @default 5_000
   */
  readonly busyTimeoutMs?: number | undefined;
  /** Prepared statements kept for reuse, on each connection. @default 200 */
  readonly statementCacheSize?: number | undefined;
  /** Runs reads known to be cheap on the calling thread. SQLite only. @default true */
  readonly inlineReads?: boolean | undefined;
  /**
   * Time for such reads in one turn of the event loop, in milliseconds; fractions count. SQLite only.
   * @default 2
   */
  readonly inlineBudgetMs?: number | undefined;
  /** How replicas are read. PostgreSQL only. */
  readonly replica?: ReplicaSettings | undefined;
  /** Settings of SQLite itself. */
  readonly sqlite?: SqliteSettings | undefined;
  /** How to talk to a PostgreSQL server. */
  readonly postgres?: PostgresSettings | undefined;

  /** The primary, where it differs from `url`; wins over it. @default DATABASE_WRITE_URL, then `url` */
  readonly writeUrl?: string | undefined;
  /**
   * Servers that only read. SQLite accepts only the primary's own address.
   * @default DATABASE_READ_URL and DATABASE_REPLICA_URL
   */
  readonly readUrls?: readonly string[] | undefined;
}

/**
 * Connections and waiting. On SQLite the connections counted here are the readers, each a thread; one writer
 * comes on top. 0 means "never" or "off" unless said otherwise.
 */
export interface PoolSettings {
  /**
   * Most connections alive at once, leased and idle together.
   * @default SQLite: cores, at most 4; PostgreSQL: 10, in production 20
   */
  readonly max?: number | undefined;
  /**
   * Longest wait for a connection, opening one included, in milliseconds. 0 = do not wait. On SQLite, a
   * caller whose connection is being opened waits up to `createTimeoutMs`, where that is longer.
   * @default 5_000
   */
  readonly acquireTimeoutMs?: number | undefined;
  /** Connections kept open when nothing happens; on SQLite readers. @default 1; on SQLite 0 */
  readonly min?: number | undefined;
  /** Connections above `max` for a rush; each is closed when it comes back. @default 0 */
  readonly maxOverflow?: number | undefined;
  /**
   * Callers that may wait; the next is refused at once. 0 = nobody waits.
   * @default SQLite: 10_000; PostgreSQL: 1_000
   */
  readonly maxWaiting?: number | undefined;
  /**
   * Closes a connection idle for this long, in milliseconds, while more than `min` are open.
   * @default SQLite: 0; PostgreSQL: 20_000, in production 30_000
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Replaces a connection of this age, in milliseconds, less up to 10 %.
   * @default SQLite: 0; PostgreSQL: 1_800_000
   */
  readonly maxLifetimeMs?: number | undefined;
  /** Pings an idle connection this often, in milliseconds, ± 10 %. @default SQLite: 0; PostgreSQL: 120_000 */
  readonly keepaliveMs?: number | undefined;
  /**
   * Pings before a lease a connection idle for longer, in milliseconds. 0 = before every lease.
   * @default 1_000
   */
  readonly pingAfterIdleMs?: number | undefined;
  /**
   * Reports a lease held for longer, in milliseconds, with the taker's stack.
   * @default 2_000, in production 10_000
   */
  readonly leakAfterMs?: number | undefined;
  /** Reports a wait for a connection longer than this, in milliseconds. @default 2_000 */
  readonly warnAcquireMs?: number | undefined;
  /** Longest one attempt to open a connection may take, in milliseconds. @default 5_000 */
  readonly createTimeoutMs?: number | undefined;
  /**
   * Defaults taken together: 'development' 5 connections + 10 overflow; 'production' 20 + 40, each replaced
   * after an hour and pinged before every lease. Anything set beside it wins.
   * @default none
   */
  readonly preset?: 'development' | 'production' | undefined;
}

export interface HealthCheckSettings {
  /** @default true */
  readonly enabled?: boolean | undefined;
  /** Time between two checks, in milliseconds. @default 60_000 */
  readonly intervalMs?: number | undefined;
  /** Reopens connections after a failed check. @default true */
  readonly reconnect?: boolean | undefined;
  /** Attempts after a failed check, until the next interval. @default 3 */
  readonly maxRetries?: number | undefined;
  /** Time between two attempts, in milliseconds. @default 5_000 */
  readonly retryIntervalMs?: number | undefined;
}

/** How the servers of `readUrls` are read. */
export interface ReplicaSettings {
  /**
   * A replica further behind than this, in milliseconds, is left out until it has caught up. @default 10_000
   */
  readonly maxLagMs?: number | undefined;
  /**
   * Longest wait for a replica to replay what a read must see, in milliseconds; then the primary is read. 0 =
   * do not wait. @default 100
   */
  readonly waitMs?: number | undefined;
  /**
   * Reads of replicas that may run on the primary at a time, where no replica can serve them; others wait for
   * one of these to end. @default 5
   */
  readonly maxFallback?: number | undefined;
  /** Time between two looks at each server: its role and its place in the log. @default 1_000 */
  readonly checkIntervalMs?: number | undefined;
}

/** How to talk to a PostgreSQL server. SQLite has no use for this. */
export interface PostgresSettings {
  /** The schemas in which names are looked up, separated by commas. @default as the server is set up */
  readonly searchPath?: string | undefined;
  /** Has the server keep statements that are used again, under names. @default true */
  readonly preparedStatements?: boolean | undefined;
  /**
   * A pooler stands in between that gives each transaction another session of the server (PgBouncer in
   * transaction mode): nothing is kept in a session, neither settings nor statements. @default false
   */
  readonly throughPooler?: boolean | undefined;
}

/** What is set on every SQLite connection, and read back. https://sqlite.org/pragma.html */
export interface SqliteSettings {
  /** 'wal' lets readers work beside the writer; the others need `pooled: false`. @default 'wal' */
  readonly journalMode?: 'wal' | 'delete' | 'truncate' | undefined;
  /**
   * The same choice as `durability` in SQLite's words: 'normal' = 'process', 'full' and 'extra' = 'full'.
   * @default follows `durability`
   */
  readonly synchronous?: 'normal' | 'full' | 'extra' | undefined;
  /** Checks foreign keys. @default true */
  readonly foreignKeys?: boolean | undefined;
  /** Page cache of each connection, in KiB. @default 16_384 (16 MiB) */
  readonly cacheSizeKiB?: number | undefined;
  /** Bytes of the file read through mapped memory. 0 = none. @default 134_217_728 (128 MiB) */
  readonly mmapSizeBytes?: number | undefined;
  /**
   * The write-ahead log is copied into the database when it passes this size, in bytes.
   * @default 16_777_216 (16 MiB)
   */
  readonly walCheckpointBytes?: number | undefined;
  /** The write-ahead log is cut to this size, in bytes, when it grew above. @default 67_108_864 (64 MiB) */
  readonly journalSizeLimitBytes?: number | undefined;
  /** Lets views and triggers of the file call functions with side effects. @default false */
  readonly trustedSchema?: boolean | undefined;
}

/** The options of a database in a configuration file: all but its name, which is its section's. */
type FileOptions = Omit<DatabaseOptions, 'name'>;

/**
 * What `millpond.config.ts` exports by default: the options of 'main', or those of several databases by name.
 */
export type ConfigFile = FileOptions | { readonly databases: Readonly<Record<string, FileOptions>> };

/** Gives `config` back; the editor knows its type. For `export default defineConfig({ … })`. */
export function defineConfig(config: ConfigFile): ConfigFile {
  return config;
}
