import type { DatabaseOptions } from '../config/index.ts';
import { openPrepared, type Database, type DatabaseStats } from '../database/index.ts';
import { prepare, requireDialect } from './prepare.ts';

/** All options but those that only PostgreSQL has. */
export type SqliteDatabaseOptions = Omit<DatabaseOptions, 'postgres' | 'replica' | 'writeUrl' | 'readUrls'>;

/** A database whose type says that it is on SQLite. */
export interface SqliteDatabase extends Database {
  readonly dialect: 'sqlite';
  stats(): DatabaseStats & Required<Pick<DatabaseStats, 'sqlite'>>;
}

/**
 * `openDatabase` of `millpond`, for SQLite alone. @throws what `openDatabase` throws; ConfigError where the
 * address is PostgreSQL's, before anything is opened
 */
export function openSqlite(
  given?: string | SqliteDatabaseOptions,
  options?: Omit<SqliteDatabaseOptions, 'url'>,
): Promise<SqliteDatabase> {
  const preparation = { accept: requireDialect('sqlite'), prepare };
  return openPrepared(preparation, given, options) as Promise<SqliteDatabase>;
}
