import { statSync } from 'node:fs';
import { runInRootContext } from '../async/index.ts';
import type { Announcer } from '../events/index.ts';
import type { SqliteConnection } from './connection.ts';
import type { CheckpointResult } from './maintenance.ts';

/** The size is looked at once in so many commits, and when writing stops. */
const COMMITS_BETWEEN_LOOKS = 64;
const IDLE_MS = 250;
/** A log that cannot shrink is reported when it has grown to so many times the checkpoint size. */
const PINNED_FACTOR = 4;
const CLOSE_TIMEOUT_MS = 5_000;

export interface WalGovernorParts {
  readonly path: string;
  readonly checkpointBytes: number;
  readonly announce: Announcer;
  /** Opens the connection that checkpoints; asked for when the first checkpoint is due. */
  connect(): Promise<SqliteConnection>;
  oldestRead(): { readonly heldMs: number; readonly holder: string; readonly takenAt: string } | undefined;
}

/**
 * Moves the write-ahead log into the database off the commit path: on a connection of its own, when writing pauses or
 * the log is past its size. SQLite's own checkpoints run inside whatever COMMIT crosses the limit:
 * https://sqlite.org/wal.html#avoiding_excessively_large_wal_files
 */
export class WalGovernor {
  checkpoints = 0;
  readonly #parts: WalGovernorParts;
  #connection: Promise<SqliteConnection> | undefined;
  #commits = 0;
  #running: Promise<void> | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #lastCommitAt = 0;
  #pinned = false;
  #closed = false;

  constructor(parts: WalGovernorParts) {
    this.#parts = parts;
  }

  walBytes(): number {
    return statSync(`${this.#parts.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  noteCommit(): void {
    if (this.#closed) return;
    this.#commits += 1;
    this.#lastCommitAt = performance.now();
    this.#idleTimer ??= this.#after(IDLE_MS);
    if (this.#commits % COMMITS_BETWEEN_LOOKS === 0 && this.walBytes() > this.#parts.checkpointBytes) this.#start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    await this.#running;
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.worker.close(CLOSE_TIMEOUT_MS);
  }

  #after(delayMs: number): NodeJS.Timeout {
    return runInRootContext(() => setTimeout(() => this.#onIdleTimer(), delayMs)).unref();
  }

  #onIdleTimer(): void {
    const idleMs = performance.now() - this.#lastCommitAt;
    if (idleMs < IDLE_MS) {
      this.#idleTimer = this.#after(IDLE_MS - idleMs + 1);
      return;
    }
    this.#idleTimer = undefined;
    // A log this small is read fast, and moving it would keep an idle service writing.
    if (this.walBytes() > this.#parts.checkpointBytes / 4) this.#start();
  }

  #start(): void {
    if (this.#running !== undefined || this.#closed) return;
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
    let result = (await worker.maintain('checkpoint')) as CheckpointResult;
    if (this.#isFarBehind(result)) result = (await worker.maintain('truncate')) as CheckpointResult;
    this.checkpoints += 1;
    const { walFrames, checkpointedFrames } = result;
    const durationMs = performance.now() - startedAt;
    this.#parts.announce.emit('sqlite:checkpoint', { walFrames, checkpointedFrames, durationMs });
    this.#reportPinned(result);
  }

  /** Under steady writing a passive checkpoint never reaches the end of the log, and the log never starts over. */
  #isFarBehind({ walFrames, checkpointedFrames }: CheckpointResult): boolean {
    return walFrames > checkpointedFrames || this.walBytes() > this.#parts.checkpointBytes * 2;
  }

  #reportPinned({ walFrames, checkpointedFrames }: CheckpointResult): void {
    const walBytes = this.walBytes();
    const isPinned = walFrames > checkpointedFrames && walBytes > this.#parts.checkpointBytes * PINNED_FACTOR;
    if (isPinned && !this.#pinned) {
      const read = this.#parts.oldestRead() ?? { heldMs: 0, holder: 'another process', takenAt: '' };
      this.#parts.announce.emit('sqlite:wal-pinned', { walBytes, ...read });
    }
    this.#pinned = isPinned;
  }
}
