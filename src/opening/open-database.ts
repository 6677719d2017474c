import type { DatabaseOptions } from '../config/index.ts';
import { openPrepared, type Database } from '../database/index.ts';
import { prepare } from './prepare.ts';

/**
 * Opens a database: `openDatabase('sqlite:data/app.db')`, an options object, or nothing: then the
 * configuration file and the environment say which. The database is ready when this resolves, migrated where
 * `autoMigrate` is set, and is closed with `close()`.
 *
 * @throws ConfigError listing every fault of the configuration
 * @throws ConnectionError where the database cannot be opened; nothing is left open then
 * @throws MigrationError where its migrations cannot be applied; nothing is left open then
 * @throws UsageError where a database of that name is open
 */
export function openDatabase(
  given?: string | DatabaseOptions,
  options?: Omit<DatabaseOptions, 'url'>,
): Promise<Database> {
  return openPrepared({ prepare }, given, options);
}
