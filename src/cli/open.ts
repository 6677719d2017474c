import { openDatabase, type Database } from '../database/index.ts';

export interface OpenOptions {
  /** @default DATABASE_URL, then the configuration file */
  readonly url?: string | undefined;
  /** Which database of the configuration. @default 'main' */
  readonly name?: string | undefined;
}

/**
 * Runs `work` with a database, and closes it in every outcome. It is opened as it is: nothing is migrated, checked at
 * intervals, or logged.
 */
export async function withDatabase<T>(
  { url, name }: OpenOptions,
  work: (db: Database) => Promise<T>,
): Promise<T> {
  const given = {
    url,
    name: name ?? false,
    log: 'silent',
    healthCheck: { enabled: false },
    autoMigrate: false,
  } as const;
  await using db = await openDatabase(given);
  return await work(db);
}
