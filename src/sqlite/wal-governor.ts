import { statSync } from 'node:fs';
import { runInRootContext, waitAtMost } from '../async/index.ts';
import type { Announcer } from '../events/index.ts';
import type { SqliteConnection } from './connection.ts';
import { ENGINE_HOLDERS } from './lane.ts';
import { PAGE_BYTES } from './pragmas.ts';
import type { CheckpointResult } from './maintenance.ts';
import type { SharedCounters } from './shared-counters.ts';

/** When nothing was committed for this long, what is left in the log is moved. */
const IDLE_MS = 250;
/** At this many times the checkpoint size the log must start over; if it cannot, that is reported. */
const TOO_LONG_FACTOR = 4;
/** How long new heavy reads are held back, in the hope that those under way end. */
const HOLD_MS = 5_000;
/** The writer is given at most this share of the limit to move, … */
const CATCH_UP_SHARE = 16;
/** … unless this many rounds beside it have not brought it down to that. */
const MAX_ROUNDS = 4;
const CLOSE_TIMEOUT_MS = 5_000;

/** Who holds the oldest snapshot of this process; for the message about a pinned log. */
export interface OldestRead {
  readonly heldMs: number;
  readonly holder: string;
  readonly takenAt: string;
}

export interface WalGovernorParts {
  readonly path: string;
  readonly checkpointBytes: number;
  readonly announce: Announcer;
  readonly counters: SharedCounters;
  /** Opens the connection that checkpoints; asked for when the first checkpoint is due. */
  connect(signal: AbortSignal): Promise<SqliteConnection>;
  /** Runs a task on the writer, between two of its transactions. */
  onWriter(task: 'checkpoint' | 'restart'): Promise<unknown>;
  /** Begins no heavy read until `release` is called. */
  holdHeavyReads(): { readonly noneRuns: Promise<void>; release(): void };
  readonly oldestRead: () => OldestRead | undefined;
}

/**
 * Moves the write-ahead log into the database off the commit path, when writing pauses or the log is past its
 * size. SQLite's own checkpoints run inside whatever COMMIT crosses the limit:
 * https://sqlite.org/wal.html#avoiding_excessively_large_wal_files
 *
 * In two steps. The bulk goes on a connection of its own, beside the writer. Under steady writing that never
 * reaches the end of the log, and a log whose end is not reached never starts over; so the few frames that
 * came in the meantime are moved by the writer itself, between two transactions. Neither step waits for a
 * reader or makes one wait.
 *
 * Readers that overlap without a gap would still keep the log growing for ever. When it has grown far past
 * its size, new heavy reads wait once until those under way have ended, and the log starts over.
 */
export class WalGovernor {
  checkpoints = 0;
  readonly #parts: WalGovernorParts;
  readonly #limitFrames: number;
  /** From this length on the log has to start over; more after each attempt that failed. */
  #tooLongFrames: number;
  #connection: Promise<SqliteConnection> | undefined;
  #running: Promise<void> | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #lastCommitAt = 0;
  /** Frames that the last checkpoint could not move: it is pointless to try again before there are more. */
  #stuckFrames = 0;
  readonly #closing = new AbortController();

  constructor(parts: WalGovernorParts) {
    this.#parts = parts;
    this.#limitFrames = Math.ceil(parts.checkpointBytes / PAGE_BYTES);
    this.#tooLongFrames = this.#limitFrames * TOO_LONG_FACTOR;
  }

  /** To be called after each commit; costs nothing measurable. */
  noteCommit(): void {
    if (this.#isClosed) return;
    this.#lastCommitAt = performance.now();
    this.#idleTimer ??= this.#wakeAfter(IDLE_MS);
    if (this.#parts.counters.logBacklog > this.#limitFrames + this.#stuckFrames) this.#start();
  }

  /**
   * Settles within `timeoutMs`. Does not wait for the writer: what is left of a checkpoint may stand behind a
   * write that takes long, and whoever closes the writer moves the log in any case.
   */
  async close(timeoutMs: number): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#idleTimer);
    await waitAtMost(timeoutMs, this.#disconnect(timeoutMs));
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  #wakeAfter(delayMs: number): NodeJS.Timeout {
    return runInRootContext(() => setTimeout(() => this.#onIdleTimer(), delayMs)).unref();
  }

  #onIdleTimer(): void {
    const idleMs = performance.now() - this.#lastCommitAt;
    if (idleMs < IDLE_MS) {
      this.#idleTimer = this.#wakeAfter(IDLE_MS - idleMs + 1);
      return;
    }
    this.#idleTimer = undefined;
    // A short log is fast to read, and moving it each time would keep a quiet service writing.
    if (this.#parts.counters.logBacklog > this.#limitFrames / 4 + this.#stuckFrames) this.#start();
  }

  #start(): void {
    if (this.#running !== undefined || this.#isClosed) return;
    this.#running = runInRootContext(() => this.#checkpoint())
      .catch((error: unknown) => this.#noteFailure(error as Error))
      .finally(() => (this.#running = undefined));
  }

  /**
   * A full disk or a lost connection: it is tried again, on another connection, when the log has grown by
   * another limit.
   */
  async #noteFailure(error: Error): Promise<void> {
    this.#stuckFrames = this.#parts.counters.logBacklog;
    const connection = await this.#disconnect(CLOSE_TIMEOUT_MS);
    if (this.#isClosed) return;
    this.#parts.announce.emit('connection:error', {
      connectionId: connection?.id ?? 0,
      role: 'checkpointer',
      error,
    });
  }

  async #disconnect(timeoutMs: number): Promise<SqliteConnection | undefined> {
    // Where it could not even be opened there is nothing to close.
    const connection = await this.#connection?.catch(() => undefined);
    this.#connection = undefined;
    await connection?.worker.close(timeoutMs);
    return connection;
  }

  async #checkpoint(): Promise<void> {
    this.#connection ??= this.#parts.connect(this.#closing.signal);
    const { worker } = await this.#connection;
    const startedAt = performance.now();
    let result: CheckpointResult;
    let rounds = 0;
    do {
      result = (await worker.maintain('checkpoint')) as CheckpointResult;
      rounds += 1;
    } while (this.#isFarBehind(result) && rounds < MAX_ROUNDS);
    if (this.#isClosed) return;
    if (!isHeldBack(result)) result = (await this.#parts.onWriter('checkpoint')) as CheckpointResult;
    if (this.#isClosed) return;
    if (result.walFrames > this.#tooLongFrames) result = await this.#startOver(worker, result);
    this.#note(result, performance.now() - startedAt);
  }

  /** Makes a gap between the heavy reads. A transaction or a stream that pins the log is not ended for it. */
  async #startOver(worker: SqliteConnection['worker'], before: CheckpointResult): Promise<CheckpointResult> {
    const after = this.#isPinnedByHolder() ? before : await this.#startOverInGap(worker);
    const isStillLong = after === before || after.blocked;
    if (isStillLong) this.#reportPinned();
    this.#tooLongFrames = isStillLong ? after.walFrames * 2 : this.#limitFrames * TOO_LONG_FACTOR;
    return after;
  }

  #isPinnedByHolder(): boolean {
    const read = this.#parts.oldestRead();
    return read !== undefined && !Object.values<string>(ENGINE_HOLDERS).includes(read.holder);
  }

  async #startOverInGap(worker: SqliteConnection['worker']): Promise<CheckpointResult> {
    const held = this.#parts.holdHeavyReads();
    // Whoever has the writer may be waiting for one of the reads that are held back.
    const limit = setTimeout(() => held.release(), HOLD_MS).unref();
    try {
      await held.noneRuns;
      await worker.maintain('checkpoint');
      return (await this.#parts.onWriter('restart')) as CheckpointResult;
    } finally {
      clearTimeout(limit);
      held.release();
    }
  }

  #note(result: CheckpointResult, durationMs: number): void {
    const { walFrames, checkpointedFrames } = result;
    this.#parts.counters.noteLog(walFrames, checkpointedFrames);
    this.#stuckFrames = walFrames - checkpointedFrames;
    this.checkpoints += 1;
    this.#parts.announce.emit('sqlite:checkpoint', { walFrames, checkpointedFrames, durationMs });
  }

  /** More was committed during the checkpoint than the writer should be held up with. */
  #isFarBehind(result: CheckpointResult): boolean {
    const { counters } = this.#parts;
    return (
      !isHeldBack(result) &&
      counters.walFrames - result.checkpointedFrames > this.#limitFrames / CATCH_UP_SHARE
    );
  }

  #reportPinned(): void {
    const { announce, oldestRead, path } = this.#parts;
    const { heldMs, holder, takenAt } = oldestRead() ?? { heldMs: 0, holder: 'another process', takenAt: '' };
    announce.emit('sqlite:wal-pinned', { walBytes: walBytes(path), heldMs, holder, takenAt });
  }
}

/**
 * The size of the log's file. It does not shrink with each checkpoint: SQLite overwrites it from its start.
 */
export function walBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * The result tells of the log as it was when the checkpoint began: what is missing then is what a reader
 * still needs.
 */
function isHeldBack({ walFrames, checkpointedFrames }: CheckpointResult): boolean {
  return walFrames > checkpointedFrames;
}
