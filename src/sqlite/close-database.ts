import { statSync } from 'node:fs';
import { DatabaseSync } from './binding.ts';

/**
 * Closes a connection and leaves the database and its log as they are. SQLite's last connection moves the log
 * into the database and deletes it (https://sqlite.org/walformat.html#files_on_disk), even where the database
 * is damaged; but not while another one has the file open. The one opened here only reads, so it cannot do
 * that when it closes.
 */
export function closeUntouched(database: DatabaseSync): void {
  const witness = openWitness(database.location());
  database.close();
  witness?.close();
}

function openWitness(path: string | null): DatabaseSync | undefined {
  if (path === null || !hasLog(path)) return undefined;
  try {
    const witness = new DatabaseSync(path, { readOnly: true });
    look(witness);
    return witness;
  } catch {
    // The file is gone from its path: SQLite sees that too, and leaves the log.
    return undefined;
  }
}

function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Opening takes no lock, the first read does. */
function look(witness: DatabaseSync): void {
  try {
    witness.prepare('select 1 from sqlite_schema').get();
  } catch {
    // A damaged file cannot be read, but the lock on it is held anyway.
  }
}
