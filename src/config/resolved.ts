import type {
  DatabaseOptions,
  HealthCheckSettings,
  PoolSettings,
  PostgresSettings,
  ReplicaSettings,
  SqliteSettings,
} from './options.ts';
import type { Secret } from './secret.ts';

/** Every key there and set. */
type Complete<T> = { readonly [Key in keyof T]-?: NonNullable<T[Key]> };

type ResolvedPoolSettings = Complete<Omit<PoolSettings, 'preset'>>;
export type ResolvedHealthCheckSettings = Complete<HealthCheckSettings>;
type ResolvedSqliteSettings = Complete<SqliteSettings>;

type SharedKey =
  | 'pooled'
  | 'readOnly'
  | 'queryTimeoutMs'
  | 'transactionTimeoutMs'
  | 'idleInTransactionTimeoutMs'
  | 'cancelGraceMs'
  | 'closeTimeoutMs'
  | 'log'
  | 'slowQueryMs'
  | 'exposeParams'
  | 'statementCacheSize'
  | 'autoMigrate';

interface ResolvedShared extends Complete<Pick<DatabaseOptions, SharedKey>> {
  /** `false`: not to be registered for `getDb`. */
  readonly name: string | false;
  /** The address for people: passwords are masked. */
  readonly url: string;
  /** An absolute path. */
  readonly migrationsFolder: string | undefined;
  readonly pool: ResolvedPoolSettings;
  readonly healthCheck: ResolvedHealthCheckSettings;
  /** Where each value came from, by the option's name: `{ 'pool.max': 'DB_POOL_MAX', … }`. */
  readonly sources: Readonly<Record<string, string>>;
}

type SqliteKey = 'durability' | 'inlineReads' | 'inlineBudgetMs' | 'busyTimeoutMs';

export interface ResolvedSqliteConfig extends ResolvedShared, Complete<Pick<DatabaseOptions, SqliteKey>> {
  readonly dialect: 'sqlite';
  /** An absolute path, or `:memory:`. */
  readonly path: string;
  /** An absolute path. */
  readonly initScript: string | undefined;
  readonly sqlite: ResolvedSqliteSettings;
}

/** One PostgreSQL server and the database on it. */
export interface PostgresTarget {
  /** The address for people: the password is masked. */
  readonly url: string;
  /** A name, an IPv4 or IPv6 address without brackets, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret | undefined;
  readonly database: string;
  /** Connection parameters of PostgreSQL's own: `sslmode`, `application_name`. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface ResolvedPostgresConfig extends ResolvedShared {
  readonly dialect: 'postgres';
  /** Takes every write, and reads where no replica is there. */
  readonly primary: PostgresTarget;
  readonly replicas: readonly PostgresTarget[];
  readonly replica: Complete<ReplicaSettings>;
  readonly postgres: Complete<Omit<PostgresSettings, 'searchPath'>> & Pick<PostgresSettings, 'searchPath'>;
}

/** A database's configuration with nothing missing. Code behind `config/` reads only this. */
export type ResolvedDatabaseConfig = ResolvedSqliteConfig | ResolvedPostgresConfig;
