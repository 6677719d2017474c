import { statSync } from 'node:fs';
import { runInRootContext } from '../async/index.ts';
import type { Announcer } from '../events/index.ts';
import type { SqliteConnection } from './connection.ts';
import type { CheckpointResult } from './maintenance.ts';
import type { SharedCounters } from './shared-counters.ts';

/** When nothing was committed for this long, what is left in the log is moved. */
const IDLE_MS = 250;
/** A log that cannot shrink is reported when it has grown to so many times the checkpoint size. */
const PINNED_FACTOR = 4;
/** The writer is given at most this part of the limit to move, … */
const CATCH_UP_SHARE = 16;
/** … unless so many rounds beside it have not brought it down to that. */
const MAX_ROUNDS = 4;
const CLOSE_TIMEOUT_MS = 5_000;
/** SQLite's default; with another page size the limit is that much off. */
const PAGE_BYTES = 4_096;

export interface WalGovernorParts {
  readonly path: string;
  readonly checkpointBytes: number;
  readonly announce: Announcer;
  readonly counters: SharedCounters;
  /** Opens the connection that checkpoints; asked for when the first checkpoint is due. */
  connect(): Promise<SqliteConnection>;
  /** Runs a task on the writer, between two of its transactions. */
  onWriter(task: 'checkpoint' | 'log'): Promise<unknown>;
  oldestRead(): { readonly heldMs: number; readonly holder: string; readonly takenAt: string } | undefined;
}

/**
 * Moves the write-ahead log into the database off the commit path, when writing pauses or the log is past its
 * size. SQLite's own checkpoints run inside whatever COMMIT crosses the limit:
 * https://sqlite.org/wal.html#avoiding_excessively_large_wal_files
 *
 * In two steps. The bulk goes on a connection of its own, beside the writer. Under steady writing that never
 * reaches the end of the log, and a log whose end is not reached never starts over; so the few frames that
 * came meanwhile are moved by the writer itself, between two transactions. No step waits for a reader or
 * makes one wait.
 */
export class WalGovernor {
  checkpoints = 0;
  readonly #parts: WalGovernorParts;
  readonly #limitFrames: number;
  #connection: Promise<SqliteConnection> | undefined;
  #running: Promise<void> | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #lastCommitAt = 0;
  /** Frames that the last checkpoint could not move: it is no use to try again before there are more. */
  #stuckFrames = 0;
  #isPinned = false;
  #isClosed = false;

  constructor(parts: WalGovernorParts) {
    this.#parts = parts;
    this.#limitFrames = Math.ceil(parts.checkpointBytes / PAGE_BYTES);
  }

  /** To be called after each commit; costs nothing measurable. */
  noteCommit(): void {
    if (this.#isClosed) return;
    this.#lastCommitAt = performance.now();
    this.#idleTimer ??= this.#wakeAfter(IDLE_MS);
    if (this.#parts.counters.logBacklog > this.#limitFrames + this.#stuckFrames) this.#start();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idleTimer);
    await this.#running;
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.worker.close(CLOSE_TIMEOUT_MS);
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
    // A short log is read fast, and moving it each time would keep a quiet service writing.
    if (this.#parts.counters.logBacklog > this.#limitFrames / 4 + this.#stuckFrames) this.#start();
  }

  #start(): void {
    if (this.#running !== undefined || this.#isClosed) return;
    this.#running = runInRootContext(() => this.#checkpoint())
      .catch(() => {
        // The connection was lost: the next checkpoint opens another one.
        this.#connection = undefined;
      })
      .finally(() => (this.#running = undefined));
  }

  async #checkpoint(): Promise<void> {
    this.#connection ??= this.#parts.connect();
    const { worker } = await this.#connection;
    const startedAt = performance.now();
    let result: CheckpointResult;
    let rounds = 0;
    do {
      result = (await worker.maintain('checkpoint')) as CheckpointResult;
      rounds += 1;
    } while (this.#isFarBehind(result) && rounds < MAX_ROUNDS);
    if (!isHeldBack(result)) result = (await this.#parts.onWriter('checkpoint')) as CheckpointResult;
    this.#note(result, performance.now() - startedAt);
  }

  #note(result: CheckpointResult, durationMs: number): void {
    const { walFrames, checkpointedFrames } = result;
    this.#parts.counters.noteLog(walFrames, checkpointedFrames);
    this.#stuckFrames = walFrames - checkpointedFrames;
    this.checkpoints += 1;
    this.#parts.announce.emit('sqlite:checkpoint', { walFrames, checkpointedFrames, durationMs });
    this.#reportPinned();
  }

  /** More was committed during the checkpoint than the writer should be kept with. */
  #isFarBehind(result: CheckpointResult): boolean {
    const { counters } = this.#parts;
    return (
      !isHeldBack(result) &&
      counters.walFrames - result.checkpointedFrames > this.#limitFrames / CATCH_UP_SHARE
    );
  }

  #reportPinned(): void {
    const isPinned = this.#stuckFrames > this.#limitFrames * PINNED_FACTOR;
    if (isPinned && !this.#isPinned) {
      const read = this.#parts.oldestRead() ?? { heldMs: 0, holder: 'another process', takenAt: '' };
      const { heldMs, holder, takenAt } = read;
      this.#parts.announce.emit('sqlite:wal-pinned', {
        walBytes: walBytes(this.#parts.path),
        heldMs,
        holder,
        takenAt,
      });
    }
    this.#isPinned = isPinned;
  }
}

/**
 * The size of the log's file. It does not shrink with each checkpoint: SQLite writes it again from its start.
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
