import type { CancelBoard } from './cancel-board.ts';
import { commitFailure } from './group-commit.ts';
import { cancelledError } from './failure.ts';
import { FailureCode, type ControlVerb } from './protocol.ts';
import type { LogSpace } from './log-space.ts';
import type { ConnectionRole } from './settings.ts';
import type { SharedCounters } from './shared-counters.ts';
import type { TransactionControl } from './transaction-control.ts';

/** Commits between two looks at the write-ahead log; one look costs about 2 µs. */
const COMMITS_BETWEEN_LOOKS = 8;

export interface SessionTransactionParts {
  readonly role: ConnectionRole;
  readonly control: TransactionControl;
  readonly board: CancelBoard;
  readonly counters: SharedCounters;
  /** Only where a COMMIT waits for the disk. */
  readonly logSpace: LogSpace | undefined;
  /** Called before the transaction ends: cursors do not outlive it. */
  closeCursors(): void;
}

/**
 * The transactions of one connection: those that callers begin and end, and the one that the reads of a
 * message share.
 */
export class SessionTransaction {
  readonly #parts: SessionTransactionParts;
  #commits = 0;
  /**
   * True between BEGIN and its COMMIT or ROLLBACK, even where SQLite has ended the transaction in between.
   */
  #isOpen = false;
  #inReadBurst = false;

  constructor(parts: SessionTransactionParts) {
    this.#parts = parts;
  }

  /** True while a caller's transaction is open, as far as the caller knows. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * The guard against autocommit: SQLite ends a transaction by itself on some errors, and BEGIN may have
   * failed.
   */
  assertOpen(): void {
    if (this.#parts.control.isOpen) return;
    const ended = new Error('SQLite has ended the transaction');
    throw Object.assign(ended, { errcode: FailureCode.transactionEnded });
  }

  /** @param started runs a step of the call as the one that can be cancelled */
  run(seq: number, verb: ControlVerb, name: string | null, started: (step: () => void) => void): void {
    const { control, board, role } = this.#parts;
    switch (verb) {
      case 'begin-write':
      case 'begin-rebuild':
        this.endReadBurst();
        // Set before BEGIN is tried: if it fails, what was sent behind it must not run in autocommit.
        this.#isOpen = true;
        // Inside a transaction the pragma does nothing: https://sqlite.org/pragma.html#pragma_foreign_keys
        if (verb === 'begin-rebuild') control.suspendForeignKeys();
        return started(() => control.beginWrite(() => board.isCancelled(seq)));
      case 'begin-read':
        this.endReadBurst();
        this.#isOpen = true;
        if (role === 'writer') control.allowWrites(false);
        return control.beginRead();
      case 'commit':
        return this.#commit(seq);
      case 'rollback':
        return this.#leave(() => control.rollback());
      default:
        this.assertOpen();
        if (verb === 'savepoint') control.savepoint(name!);
        else if (verb === 'release') control.release(name!);
        else control.rollbackTo(name!);
    }
  }

  /**
   * What one statement of a transaction did cannot be undone alone. If its call was cancelled in the
   * meantime, the whole transaction is undone, as SQLite does with an interrupted write; otherwise it is now
   * too late to cancel it.
   */
  keep(seq: number): void {
    if (this.#parts.board.finalize(seq)) return;
    this.#parts.control.rollback();
    throw cancelledError();
  }

  /** Tells the governor on the main thread how long the log has become. */
  noteCommit(): void {
    this.#commits += 1;
    if (this.#commits % COMMITS_BETWEEN_LOOKS !== 1 || this.#parts.role !== 'writer') return;
    const log = this.#parts.control.readLog();
    if (log === undefined) return;
    this.#parts.counters.noteLog(log.walFrames, log.checkpointedFrames);
    if (this.#parts.logSpace?.isShort(log.walFrames) === true) this.#extendLog(this.#parts.logSpace);
  }

  /**
   * Reads of one message share a snapshot: it is taken after all of them were asked for, and a read alone
   * costs two file locks, several times what a point read itself costs.
   */
  beginReadBurst(): void {
    if (this.#inReadBurst || this.#parts.role !== 'reader') return;
    this.#inReadBurst = true;
    this.#parts.control.begin();
  }

  endReadBurst(): void {
    if (!this.#inReadBurst) return;
    this.#inReadBurst = false;
    this.#parts.control.rollback();
  }

  #commit(seq: number): void {
    const { control, board } = this.#parts;
    this.#leave(() => {
      this.assertOpen();
      try {
        // From here on a thread that dies leaves the outcome unknown. If the call was given up, its caller
        // has already been told that nothing was committed.
        if (!board.finalize(seq)) throw cancelledError();
        control.commit();
      } catch (error) {
        control.rollback();
        throw Object.assign(new Error((error as Error).message), { errcode: commitFailure(error).code });
      }
    });
    this.noteCommit();
  }

  #extendLog(space: LogSpace): void {
    try {
      this.#parts.control.underWriteLock(() => space.extend());
    } catch {
      // A full or failing disk is for SQLite to report, when the log actually needs the room.
      space.giveUp();
    }
  }

  #leave(end: () => void): void {
    this.#parts.closeCursors();
    try {
      end();
    } finally {
      this.#isOpen = false;
      this.#parts.control.resumeForeignKeys();
      if (this.#parts.role === 'writer') this.#parts.control.allowWrites(true);
    }
  }
}
