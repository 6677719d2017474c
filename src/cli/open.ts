import { existsSync } from 'node:fs';
import { resolveDatabaseConfig, type DatabaseOptions } from '../config/index.ts';
import { openDatabase, type Database } from '../database/index.ts';
import { ConnectionError } from '../errors/index.ts';

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

/**
 * For commands that look at what is there: opening would make a file where an address is mistyped.
 * @throws ConnectionError
 */
export async function requireDatabase({ url, name }: OpenOptions): Promise<void> {
  const config = await resolveDatabaseConfig({ given: { url, name: name ?? false } });
  if (config.dialect !== 'sqlite' || config.path === ':memory:' || existsSync(config.path)) return;
  throw new ConnectionError(
    `There is no database at ${config.path}. "millpond migrate up" makes it; --url names another one.`,
  );
}
