import type * as sqlite from 'node:sqlite';
import { UsageError } from '../errors/index.ts';

/** The oldest Node that has all of node:sqlite that the engine needs. */
const MIN_NODE_MAJOR = 24;

/**
 * The first SQLite without the WAL-reset bug, by which a commit during a checkpoint could corrupt the file:
 * https://sqlite.org/wal.html#walresetbug
 */
const MIN_SQLITE_VERSION = '3.51.3';

/** @throws UsageError (`ERR_MILLPOND_NODE_VERSION`) where this Node is too old. */
export function assertNodeVersion(version: string = process.versions.node): void {
  if (Number.parseInt(version, 10) >= MIN_NODE_MAJOR) return;
  throw new UsageError(
    `millpond needs Node ${MIN_NODE_MAJOR} or newer; this is v${version} (${process.execPath}). ` +
      'Install a newer Node, or pin one for this project alone: npm install node@24',
    { code: 'ERR_MILLPOND_NODE_VERSION' },
  );
}

/**
 * Refuses a SQLite that can corrupt a file which several connections write and checkpoint at once.
 *
 * @throws UsageError (`ERR_MILLPOND_SQLITE_VERSION`)
 */
export function assertSqliteVersion(version: string = sqliteVersion()): void {
  // "numeric" compares 3.9.0 and 3.51.3 by their numbers, not by their letters.
  if (version.localeCompare(MIN_SQLITE_VERSION, 'en', { numeric: true }) >= 0) return;
  throw new UsageError(
    `millpond needs SQLite ${MIN_SQLITE_VERSION} or newer, and this Node carries ${version}. Versions ` +
      'before it can corrupt a database in WAL mode (https://sqlite.org/wal.html#walresetbug). Update Node.',
    { code: 'ERR_MILLPOND_SQLITE_VERSION' },
  );
}

/** The SQLite in use; `process.versions.sqlite` only tells which one Node was compiled against. */
export function sqliteVersion(): string {
  const database = new DatabaseSync(':memory:');
  try {
    return database.prepare('select sqlite_version() as version').get()!.version as string;
  } finally {
    database.close();
  }
}

/** Exported for its test alone. */
export function loadBinding(getBuiltinModule: (id: string) => object | undefined): typeof sqlite {
  assertNodeVersion();
  const binding = getBuiltinModule('node:sqlite');
  if (binding) return binding as typeof sqlite;
  throw new UsageError(
    `This Node (v${process.versions.node}, ${process.execPath}) was built without node:sqlite. ` +
      'millpond needs it: use a standard build of Node.',
    { code: 'ERR_MILLPOND_NODE_VERSION' },
  );
}

// Not `import … from 'node:sqlite'`: an older Node refuses that before the first line of this package runs,
// with a message that names neither millpond nor the version it needs.
const binding: typeof sqlite = loadBinding((id) => process.getBuiltinModule(id));

export const DatabaseSync: typeof sqlite.DatabaseSync = binding.DatabaseSync;
export type DatabaseSync = sqlite.DatabaseSync;
export type StatementSync = sqlite.StatementSync;
export const backup: typeof sqlite.backup = binding.backup;
export const constants: typeof sqlite.constants = binding.constants;
