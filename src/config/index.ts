export {
  defineConfig,
  type ConfigFile,
  type DatabaseOptions,
  type HealthCheckSettings,
  type Logger,
  type LogLevel,
  type PoolSettings,
  type SqliteSettings,
} from './options.ts';
export type {
  ResolvedDatabaseConfig,
  ResolvedHealthCheckSettings,
  ResolvedPostgresConfig,
  ResolvedSqliteConfig,
} from './resolved.ts';
export { resolveDatabaseConfig } from './resolve.ts';
export { suggest } from './suggest.ts';
