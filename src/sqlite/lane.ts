import { AfterTurn } from '../async/index.ts';
import type { LeaseLike, LeaseSource } from '../driver/index.ts';
import { CallQueue } from './call-queue.ts';
import type { SqliteConnection } from './connection.ts';
import { fullError } from './full-error.ts';
import type { PendingCall } from './pending-call.ts';

/** The names under which the engine itself holds connections, for all callers together. */
export const ENGINE_HOLDERS = {
  groupCommit: 'group commit',
  sharedReads: 'shared reads',
  heavyRead: 'heavy read',
} as const;

/**
 * Readers for light statements alone: one, and another that takes over while a statement that was thought to
 * be light keeps the first.
 */
export const EXPRESS_READERS = 2;

/** Where a lane gets its connections: a pool that also says whether somebody else wants one. */
export interface LaneSource extends LeaseSource<SqliteConnection> {
  tryAcquire(holder?: string): LeaseLike<SqliteConnection> | undefined;
  /** Callers in line. */
  readonly waiting: number;
}

/**
 * One connection shared by many callers: the lane leases it while there is work, sends every call at once
 * (the worker takes them in batches), and gives it back when all are answered. When somebody waits for a
 * lease, what is under way ends, the lease goes back, and the lane stands in line like everybody else.
 */
export class Lane {
  readonly #source: LaneSource;
  readonly #holder: string;
  readonly #maxWaiting: number;
  readonly #queue = new CallQueue<PendingCall>();
  #lease: LeaseLike<SqliteConnection> | undefined;
  #acquiring = false;
  /** Not at once: the callers that were just answered are about to ask for more. */
  readonly #givingBack = new AfterTurn(() => this.giveBackIdle());

  constructor(source: LaneSource, options: { readonly holder: string; readonly maxWaiting: number }) {
    this.#source = source;
    this.#holder = options.holder;
    this.#maxWaiting = options.maxWaiting;
  }

  /** Calls in line or under way. */
  get pending(): number {
    return this.#queue.length + (this.#lease?.resource.worker.inFlight ?? 0);
  }

  readonly submit = (call: PendingCall): void => {
    if (this.#lease === undefined && this.#queue.length === 0 && !this.#acquiring) this.#tryAcquire();
    if (this.#canSend()) return this.#lease!.resource.worker.send(call);
    if (this.#queue.length >= this.#maxWaiting)
      return call.reject(fullError(this.#holder, this.#queue.length));
    this.#queue.push(call);
    if (this.#lease === undefined) this.#acquire();
  };

  #canSend(): boolean {
    if (this.#lease === undefined || this.#queue.length > 0) return false;
    const { worker } = this.#lease.resource;
    return worker.usable && worker.hasRoom && (this.#source.waiting === 0 || worker.inFlight === 0);
  }

  #tryAcquire(): void {
    const lease = this.#source.tryAcquire(this.#holder);
    if (lease !== undefined) this.#adopt(lease);
  }

  #acquire(): void {
    if (this.#acquiring) return;
    this.#acquiring = true;
    const since = performance.now();
    this.#source.acquire({ holder: this.#holder }).then(
      (lease) => {
        this.#acquiring = false;
        this.#adopt(lease);
        this.#sendQueued();
        if (lease.resource.worker.inFlight === 0) this.#givingBack.schedule();
      },
      (error: unknown) => {
        this.#acquiring = false;
        // Later calls have not waited long enough to be refused.
        this.#queue.rejectIf(
          ({ startedAt }) => startedAt <= since,
          () => error,
        );
        if (this.#queue.length > 0) this.#acquire();
      },
    );
  }

  #adopt(lease: LeaseLike<SqliteConnection>): void {
    this.#lease = lease;
    lease.resource.worker.onAnswered = () => this.#onAnswered(lease);
  }

  #onAnswered(lease: LeaseLike<SqliteConnection>): void {
    if (this.#lease !== lease) return;
    const { worker } = lease.resource;
    if (worker.usable && this.#queue.length > 0 && this.#source.waiting === 0) return this.#sendQueued();
    if (worker.inFlight > 0) return;
    if (!worker.usable || this.#source.waiting > 0) this.#release();
    else this.#givingBack.schedule();
  }

  #sendQueued(): void {
    const { worker } = this.#lease!.resource;
    while (this.#queue.length > 0 && worker.hasRoom) worker.send(this.#queue.shift()!);
  }

  /** Ends the moment that a connection is kept for those who were just answered. */
  giveBackIdle(): void {
    if (this.#lease !== undefined && this.#lease.resource.worker.inFlight === 0) this.#release();
  }

  #release(): void {
    giveBack(this.#lease!);
    this.#lease = undefined;
    if (this.#queue.length > 0) this.#acquire();
  }
}

/** Ends a lane's use of a connection. */
export function giveBack(lease: LeaseLike<SqliteConnection>): void {
  lease.resource.worker.onAnswered = undefined;
  lease.release(lease.resource.usable ? 'reuse' : 'discard');
}
