import { open } from 'node:fs/promises';
import { resolveDatabaseConfig, type DatabaseOptions } from '../../config/index.ts';
import { openDatabase, type Database } from '../../database/index.ts';

/** Of the file format's write version: https://sqlite.org/fileformat.html#file_format_version_numbers */
const VERSION_AT = 18;
const WAL_VERSION = 2;

/**
 * Opens a SQLite file for reading alone, with the journal that it has: a copy changes nothing of its source.
 */
export async function openSource(url: string, options: Omit<DatabaseOptions, 'url'>): Promise<Database> {
  const given = { ...options, url, readOnly: true };
  const config = await resolveDatabaseConfig({ given: { ...options, url } });
  if (config.dialect !== 'sqlite' || (await hasLog(config.path))) return openDatabase(given);
  return openDatabase({ ...given, pooled: false, sqlite: { journalMode: 'delete' } });
}

/** Where the file cannot be read, opening it says why. */
async function hasLog(path: string): Promise<boolean> {
  try {
    await using file = await open(path);
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, VERSION_AT);
    return buffer[0] === WAL_VERSION;
  } catch {
    return true;
  }
}
