export {
  defineConfig,
  type ConfigFile,
  type DatabaseOptions,
  type FileOptions,
  type HealthCheckSettings,
  type Logger,
  type LogLevel,
  type PoolSettings,
  type SqliteSettings,
} from './options.ts';
export type {
  PostgresTarget,
  ResolvedDatabaseConfig,
  ResolvedHealthCheckSettings,
  ResolvedPoolSettings,
  ResolvedPostgresConfig,
  ResolvedSqliteConfig,
  ResolvedSqliteSettings,
} from './resolved.ts';
export { resolveDatabaseConfig, type ConfigRequest } from './resolve.ts';
export { maskUrl } from './mask-url.ts';
export { Secret } from './secret.ts';
export { suggest } from './suggest.ts';
