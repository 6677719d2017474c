export {
  defineConfig,
  type ConfigFile,
  type DatabaseOptions,
  type HealthCheckSettings,
  type Logger,
  type LogLevel,
  type PoolSettings,
  type PostgresSettings,
  type ReplicaSettings,
  type SqliteSettings,
} from './options.ts';
export type {
  ResolvedDatabaseConfig,
  ResolvedHealthCheckSettings,
  PostgresTarget,
  ResolvedPostgresConfig,
  ResolvedSqliteConfig,
} from './resolved.ts';
export { resolveDatabaseConfig } from './resolve.ts';
export { toSqliteUrl } from './sqlite-url.ts';
export { noSuchOption, suggest } from './suggest.ts';
