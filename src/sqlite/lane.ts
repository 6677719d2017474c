import type { LeaseLike, LeaseSource } from '../driver/index.ts';
import { ConnectionPoolExhaustedError } from '../errors/index.ts';
import type { SqliteConnection } from './connection.ts';

/** The names under which the engine itself holds connections, for all callers together. */
export const ENGINE_HOLDERS = {
  groupCommit: 'group commit',
  sharedReads: 'shared reads',
  heavyRead: 'heavy read',
} as const;

/** Where a lane gets its connections: a pool that also says whether somebody else wants one. */
export interface LaneSource extends LeaseSource<SqliteConnection> {
  tryAcquire(holder?: string): LeaseLike<SqliteConnection> | undefined;
  /** Callers in line. */
  readonly waiting: number;
}

/** A call that can be sent on any connection of the lane. `send` never throws: it settles the caller's promise. */
export interface LaneTask {
  send(connection: SqliteConnection): void;
  reject(error: unknown): void;
}

/**
 * One connection shared by many callers: the lane leases it while there is work, sends every call at once (the worker
 * takes them in batches), and gives it back when all are answered. When somebody waits for a lease, what is under way
 * ends, the lease goes back, and the lane stands in line like everybody else.
 */
export class Lane {
  readonly #source: LaneSource;
  readonly #holder: string;
  readonly #maxWaiting: number;
  #lease: LeaseLike<SqliteConnection> | undefined;
  #acquiring = false;
  #releaseScheduled = false;
  #queue: LaneTask[] = [];

  constructor(source: LaneSource, options: { readonly holder: string; readonly maxWaiting: number }) {
    this.#source = source;
    this.#holder = options.holder;
    this.#maxWaiting = options.maxWaiting;
  }

  /** Calls in line or under way. */
  get pending(): number {
    return this.#queue.length + (this.#lease?.resource.inFlight ?? 0);
  }

  submit(task: LaneTask): void {
    this.#lease ??= this.#queue.length === 0 && !this.#acquiring ? this.#tryAcquire() : undefined;
    if (this.#canSend()) return task.send(this.#lease!.resource);
    if (this.#queue.length >= this.#maxWaiting) return task.reject(fullError(this.#holder, this.#queue.length));
    this.#queue.push(task);
    if (this.#lease === undefined) this.#acquire();
  }

  #canSend(): boolean {
    if (this.#lease === undefined || this.#queue.length > 0) return false;
    return this.#lease.resource.hasRoom && (this.#source.waiting === 0 || this.#lease.resource.inFlight === 0);
  }

  #tryAcquire(): LeaseLike<SqliteConnection> | undefined {
    const lease = this.#source.tryAcquire(this.#holder);
    if (lease !== undefined) this.#adopt(lease);
    return lease;
  }

  #acquire(): void {
    if (this.#acquiring) return;
    this.#acquiring = true;
    this.#source.acquire({ holder: this.#holder }).then(
      (lease) => {
        this.#acquiring = false;
        this.#lease = lease;
        this.#adopt(lease);
        this.#sendQueued();
        if (lease.resource.inFlight === 0) this.#scheduleRelease();
      },
      (error: unknown) => {
        this.#acquiring = false;
        for (const task of this.#takeQueue()) task.reject(error);
      },
    );
  }

  #adopt(lease: LeaseLike<SqliteConnection>): void {
    lease.resource.onAnswered = () => this.#onAnswered();
  }

  #onAnswered(): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    if (!lease.resource.usable) return this.#release();
    if (this.#queue.length > 0 && this.#source.waiting === 0) return this.#sendQueued();
    if (lease.resource.inFlight > 0) return;
    if (this.#source.waiting > 0) this.#release();
    else this.#scheduleRelease();
  }

  #sendQueued(): void {
    const { resource } = this.#lease!;
    let sent = 0;
    while (sent < this.#queue.length && resource.hasRoom) {
      this.#queue[sent]!.send(resource);
      sent += 1;
    }
    this.#queue = this.#queue.slice(sent);
  }

  /** Not at once: the callers that were just answered are about to ask for more. */
  #scheduleRelease(): void {
    if (this.#releaseScheduled) return;
    this.#releaseScheduled = true;
    setImmediate(() => {
      this.#releaseScheduled = false;
      if (this.#lease !== undefined && this.#lease.resource.inFlight === 0) this.#release();
    });
  }

  #release(): void {
    const lease = this.#lease!;
    this.#lease = undefined;
    lease.resource.onAnswered = undefined;
    lease.release(lease.resource.usable ? 'reuse' : 'discard');
    if (this.#queue.length > 0) this.#acquire();
  }

  #takeQueue(): LaneTask[] {
    const queue = this.#queue;
    this.#queue = [];
    return queue;
  }
}

/** The line is full: refused at once. */
export function fullError(holder: string, waiting: number): ConnectionPoolExhaustedError {
  return new ConnectionPoolExhaustedError(
    `The line for ${holder} is full: ${waiting} calls are waiting. Slow down, or raise pool.maxWaiting.`,
  );
}
