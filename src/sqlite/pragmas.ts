import { ConnectionError } from '../errors/index.ts';
import type { DatabaseSync } from './binding.ts';
import type { ConnectionRole, ConnectionSettings } from './settings.ts';

type PragmaValue = number | string;

const SYNCHRONOUS = { off: 0, normal: 1, full: 2, extra: 3 } as const;
const TEMP_STORE_MEMORY = 2;
/** SQLite's default; with another page size the limit of the log is that much off. */
export const PAGE_BYTES = 4_096;

/**
 * Sets every pragma of a new connection and reads each one back. SQLite silently ignores a pragma it does not
 * like, and `synchronous` of a fresh file drifts from FULL to NORMAL when WAL is switched on, so a value that
 * was not read back is a hope: https://sqlite.org/pragma.html
 *
 * @throws ConnectionError naming the pragma that did not take
 */
export function applyPragmas(
  database: DatabaseSync,
  settings: ConnectionSettings,
  role: ConnectionRole,
): void {
  // The lock wait comes first: switching to WAL needs a lock that another process may hold.
  set(database, 'busy_timeout', settings.busyTimeoutMs);
  const inMemory = settings.path === ':memory:';
  if (role === 'writer') set(database, 'journal_mode', inMemory ? 'memory' : settings.journalMode);
  else verify(database, 'journal_mode', settings.journalMode);
  set(database, 'synchronous', SYNCHRONOUS[settings.synchronous]);
  set(database, 'foreign_keys', Number(settings.foreignKeys));
  set(database, 'cache_size', -settings.cacheSizeKiB);
  set(database, 'temp_store', TEMP_STORE_MEMORY);
  set(database, 'trusted_schema', Number(settings.trustedSchema));
  if (inMemory) return;
  set(database, 'mmap_size', settings.mmapSizeBytes);
  set(database, 'journal_size_limit', settings.journalSizeLimitBytes);
  // Checkpoints are the WAL governor's: SQLite's own run inside whatever COMMIT crosses the limit. A database
  // of one connection has no other to run them on.
  set(
    database,
    'wal_autocheckpoint',
    settings.pooled ? 0 : Math.ceil(settings.walCheckpointBytes / PAGE_BYTES),
  );
}

/** Every pragma that the engine sets, as the connection reports it now. */
export function readPragmas(database: DatabaseSync): Record<string, PragmaValue> {
  const names = ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout', 'cache_size', 'temp_store'];
  names.push('trusted_schema', 'mmap_size', 'journal_size_limit', 'wal_autocheckpoint');
  const values: Record<string, PragmaValue> = {};
  for (const name of names) {
    const value = read(database, name);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function set(database: DatabaseSync, name: string, value: PragmaValue): void {
  database.exec(`pragma ${name} = ${value}`);
  verify(database, name, value);
}

function verify(database: DatabaseSync, name: string, expected: PragmaValue): void {
  const actual = read(database, name);
  if (String(actual).toLowerCase() === String(expected).toLowerCase()) return;
  throw new ConnectionError(
    `SQLite did not take "pragma ${name} = ${expected}": it reports ${actual ?? 'nothing'}.` +
      (name === 'journal_mode'
        ? ' The file system or a read-only file may not allow this journal mode.'
        : ''),
  );
}

function read(database: DatabaseSync, name: string): PragmaValue | undefined {
  const row = database.prepare(`pragma ${name}`).get();
  return row === undefined ? undefined : (Object.values(row)[0] as PragmaValue);
}
