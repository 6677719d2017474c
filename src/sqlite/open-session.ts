import { DatabaseSync } from './binding.ts';
import { CancelBoard } from './cancel-board.ts';
import { closeUntouched } from './close-database.ts';
import { registerForInterrupt } from './interrupt.ts';
import { applyPragmas } from './pragmas.ts';
import { Session, type SessionOptions } from './session.ts';
import { SharedCounters } from './shared-counters.ts';
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
    // The authorizer comes last: it refuses to callers what was just done.
    const store = new StatementStore(database, settings.statementCacheSize);
    const shared = { board: new CancelBoard(board), counters: new SharedCounters(counters) };
    return { session: new Session({ database, store, role, settings, send, ...shared }), interruptKey };
  } catch (error) {
    closeUntouched(database);
    throw error;
  }
}
