import { rm, rename } from 'node:fs/promises';
import { backup, type DatabaseSync } from './binding.ts';
import { closeUntouched } from './close-database.ts';
import { readPragmas } from './pragmas.ts';
import { KEEP_LOG, type MaintenanceTask } from './protocol.ts';
import type { PreparedStatement, StatementStore } from './statement-store.ts';

/**
 * Rows that ANALYZE looks at in each index when the connection is about to close:
 * https://sqlite.org/lang_analyze.html#approx
 */
const OPTIMIZE_ANALYSIS_LIMIT = 400;

/**
 * More than a file can have, so that one step copies everything:
 * https://sqlite.org/limits.html#max_page_count
 */
const ALL_PAGES = 2 ** 31 - 1;

/** How long a log that must start over waits for light reads, and the writers with it. */
const LIGHT_READS_MS = 100;
const RETRY_MS = 1;

/** The result of `pragma wal_checkpoint`: https://sqlite.org/pragma.html#pragma_wal_checkpoint */
export interface CheckpointResult {
  readonly blocked: boolean;
  readonly walFrames: number;
  readonly checkpointedFrames: number;
}

/**
 * Work of a connection that is not a caller's statement. A backup goes on beside other requests, hence the
 * promise.
 */
export function runMaintenance(
  task: MaintenanceTask,
  argument: string | null,
  database: DatabaseSync,
  store: StatementStore,
): unknown {
  switch (task) {
    case 'checkpoint':
      return store.trusted(() => checkpoint(database, 'passive'));
    case 'log':
      return store.trusted(() => checkpoint(database, 'noop'));
    case 'restart':
      return store.trusted(() => startOver(database));
    case 'optimize':
      return store.trusted(() => {
        database.exec(`pragma analysis_limit = ${OPTIMIZE_ANALYSIS_LIMIT}; pragma optimize;`);
        return null;
      });
    case 'pragmas':
      return store.trusted(() => readPragmas(database));
    case 'backup':
      return backUp(database, store, argument!);
    case 'analyze':
      return prepareNow(store, argument!).analysis;
    case 'describe':
      return prepareNow(store, argument!).describe();
    case 'data-version':
      return store.trusted(() => Object.values(database.prepare('pragma data_version').get()!)[0]);
    case 'ping':
      return null;
    case 'close':
      store.clear();
      if (argument === KEEP_LOG) closeUntouched(database);
      else database.close();
      return null;
  }
}

/**
 * What is known of a text may be older than a trigger or a view that it uses, and so may be what this
 * connection knows of the schema: a statement that runs looks.
 */
function prepareNow(store: StatementStore, text: string): PreparedStatement {
  store.trusted((database) => database.prepare('select 1 from sqlite_schema').get());
  return store.prepareFresh(text);
}

function checkpoint(database: DatabaseSync, mode: 'noop' | 'passive' | 'restart'): CheckpointResult {
  const row = database.prepare(`pragma wal_checkpoint(${mode})`).get() as Record<
    'busy' | 'log' | 'checkpointed',
    number
  >;
  return { blocked: row.busy !== 0, walFrames: row.log, checkpointedFrames: row.checkpointed };
}

/**
 * Moves all of the log and sees to it that the next write begins at its start, unless a reader stands in the
 * way for longer than light statements take. Writers wait while it does:
 * https://sqlite.org/pragma.html#pragma_wal_checkpoint
 *
 * Many short tries instead of SQLite's own wait: that waits until nobody uses the lock under which an old
 * snapshot was read, but a reader that goes on immediately takes the same lock for the newest one, again and
 * again.
 */
function startOver(database: DatabaseSync): CheckpointResult {
  const { timeout } = database.prepare('pragma busy_timeout').get() as { timeout: number };
  const endAt = performance.now() + LIGHT_READS_MS;
  database.exec('pragma busy_timeout = 0');
  try {
    for (;;) {
      const result = checkpoint(database, 'restart');
      if (!result.blocked || performance.now() >= endAt) return result;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  } finally {
    database.exec(`pragma busy_timeout = ${timeout}`);
  }
}

/**
 * All pages in one step, so that the copy is one snapshot and no write can make it start over. The copy
 * appears under its name only when it is complete.
 */
async function backUp(database: DatabaseSync, store: StatementStore, path: string): Promise<number> {
  const unfinished = `${path}.unfinished`;
  try {
    const pages = await backup(database, unfinished, { rate: ALL_PAGES });
    await rename(unfinished, path);
    return pages;
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  } finally {
    store.analyzer.trusted = false;
  }
}
