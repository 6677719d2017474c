import { DatabaseSync } from './binding.ts';
import { CancelBoard } from './cancel-board.ts';
import { closeUntouched } from './close-database.ts';
import { registerForInterrupt } from './interrupt.ts';
import { applyPragmas } from './pragmas.ts';
import { Session, type SessionOptions } from './session.ts';
import { SharedCounters } from './shared-counters.ts';
import { LogSpace } from './log-space.ts';
import { isDurable, type ConnectionRole, type ConnectionSettings } from './settings.ts';
import { lowerThreadPriority } from './thread-priority.ts';
import { StatementStore } from './statement-store.ts';
import type { WorkerStart } from './protocol.ts';

/** Opens, sets up and registers a connection in the calling thread. */
export function openSession(
  { settings, role, board, counters, interruptLibrary }: WorkerStart,
  send: SessionOptions['send'],
): { session: Session; interruptKey: number | undefined } {
  if (role !== 'writer') lowerThreadPriority();
  const database = new DatabaseSync(settings.path, {
    readOnly: role === 'reader',
    // From the first statement on: registering for interrupts reads the schema, which may be locked.
    timeout: settings.busyTimeoutMs,
    allowExtension: interruptLibrary !== undefined,
    enableForeignKeyConstraints: settings.foreignKeys,
  });
  try {
    const interruptKey =
      interruptLibrary === undefined ? undefined : registerForInterrupt(database, interruptLibrary);
    applyPragmas(database, settings, role);
    // The authorizer comes last: it refuses what was just done here.
    const store = new StatementStore(database, settings.statementCacheSize);
    const parts = {
      board: new CancelBoard(board),
      counters: new SharedCounters(counters),
      logSpace: createLogSpace(settings, role, store),
    };
    return { session: new Session({ database, store, role, settings, send, ...parts }), interruptKey };
  } catch (error) {
    closeUntouched(database);
    throw error;
  }
}

/** Where no COMMIT waits for the disk there is nothing to gain. */
function createLogSpace(
  settings: ConnectionSettings,
  role: ConnectionRole,
  store: StatementStore,
): LogSpace | undefined {
  const { path, walCheckpointBytes, journalSizeLimitBytes } = settings;
  if (role !== 'writer' || path === ':memory:' || !isDurable(settings)) return undefined;
  // SQLite opens the log with the first read, not before.
  store.trusted((database) => database.prepare('select 1 from sqlite_schema').get());
  // Under load the log keeps growing while a checkpoint moves what is in it.
  return new LogSpace(path, Math.min(walCheckpointBytes * 2, journalSizeLimitBytes));
}
