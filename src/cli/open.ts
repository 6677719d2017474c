import type { DatabaseOptions } from '../config/index.ts';
import { openDatabase, type Database } from '../database/index.ts';

export interface OpenOptions {
  /** @default DATABASE_URL, then the configuration file */
  readonly url?: string | undefined;
  /** Which database of the configuration. @default 'main' */
  readonly name?: string | undefined;
}

/**
 * Runs `work` with a database, and closes it in every outcome. It is opened as it is: nothing is migrated,
 * checked at intervals, or logged.
 */
export async function withDatabase<T>(
  { url, name }: OpenOptions,
  work: (db: Database) => Promise<T>,
  options: Pick<DatabaseOptions, 'queryTimeoutMs'> = {},
): Promise<T> {
  const quiet = { log: 'silent', healthCheck: { enabled: false }, autoMigrate: false } as const;
  await using db = await openDatabase({ url, name: name ?? false, ...quiet, ...options });
  return await work(db);
}
