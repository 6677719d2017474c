import type { LeaseLike } from '../driver/index.ts';
import { toText, type Trace } from './trace.ts';

/** One resource of the pool. It is idle, leased (then `lease` says to whom), being checked, or retired. */
export interface Slot<Resource> {
  readonly resource: Resource;
  readonly connectionId: number;
  readonly role: string;
  readonly generation: number;
  readonly expiresAtMs: number;
  readonly keepaliveMs: number;
  /** Since when nobody used it. */
  idleSinceMs: number;
  /** When it was last known to work: released in order, or answered a ping. */
  checkedAtMs: number;
  lease: Lease<Resource> | undefined;
  leakReported: boolean;
  retired: boolean;
}

/** The pool, as its leases see it. */
export interface LeaseOwner<Resource> {
  isCurrent(generation: number): boolean;
  takeBack(slot: Slot<Resource>, lease: Lease<Resource>, how: 'reuse' | 'discard'): void;
}

export interface LeaseDetails {
  readonly acquiredAtMs: number;
  readonly holder: string;
  readonly trace: Trace | undefined;
}

/** A resource held by one taker, until it is released or the scope of `await using` ends. */
export class Lease<Resource> implements LeaseLike<Resource>, AsyncDisposable {
  readonly resource: Resource;
  /** Rises with every `retireAll`; statements are sent only on a current lease. */
  readonly generation: number;
  /** On the pool's clock. */
  readonly acquiredAtMs: number;
  /** Who took it, in the taker's words; empty when it did not say. */
  readonly holder: string;
  readonly #owner: LeaseOwner<Resource>;
  readonly #slot: Slot<Resource>;
  readonly #trace: Trace | undefined;

  constructor(owner: LeaseOwner<Resource>, slot: Slot<Resource>, details: LeaseDetails) {
    this.resource = slot.resource;
    this.generation = slot.generation;
    this.acquiredAtMs = details.acquiredAtMs;
    this.holder = details.holder;
    this.#owner = owner;
    this.#slot = slot;
    this.#trace = details.trace;
  }

  /** True while this lease holds the resource and the resource is of the pool's present generation. */
  get isCurrent(): boolean {
    return this.#slot.lease === this && this.#owner.isCurrent(this.generation);
  }

  /**
   * The taker's stack, one frame per line; empty when it was not captured (a holder was named and no place,
   * leaks are not watched, or the load was too high).
   */
  get takenAt(): string {
    return toText(this.#trace);
  }

  /** Gives it back ('reuse') or has it destroyed ('discard'). A second call does nothing. */
  release(how: 'reuse' | 'discard' = 'reuse'): void {
    // The slot knows its one lease, so neither a second release nor one after the pool cut it off can give
    // back what
    // somebody else holds by now.
    if (this.#slot.lease === this) this.#owner.takeBack(this.#slot, this, how);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }
}
