import type { DatabaseOptions } from '../config/index.ts';
import { openPrepared, type Database, type DatabaseStats } from '../database/index.ts';
import { prepare, requireDialect } from './prepare.ts';

/** All options but those that only SQLite has. */
export type PostgresDatabaseOptions = Omit<
  DatabaseOptions,
  'sqlite' | 'durability' | 'initScript' | 'busyTimeoutMs' | 'inlineReads' | 'inlineBudgetMs'
>;

/** A database whose type says that it is on PostgreSQL. */
export interface PostgresDatabase extends Database {
  readonly dialect: 'postgres';
  stats(): DatabaseStats & Required<Pick<DatabaseStats, 'postgres'>>;
}

/**
 * `openDatabase` of `millpond`, for PostgreSQL alone. @throws what `openDatabase` throws; ConfigError where
 * the address is SQLite's, before anything is opened
 */
export function openPostgres(
  given?: string | PostgresDatabaseOptions,
  options?: Omit<PostgresDatabaseOptions, 'url'>,
): Promise<PostgresDatabase> {
  const preparation = { accept: requireDialect('postgres'), prepare };
  return openPrepared(preparation, given, options) as Promise<PostgresDatabase>;
}
