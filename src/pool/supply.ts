import { runInRootContext } from '../async/index.ts';
import type { MillpondError } from '../errors/index.ts';
import { Inspector, type Check } from './inspector.ts';
import { Inventory } from './inventory.ts';
import type { Slot } from './lease.ts';
import { Opener } from './opener.ts';
import type { ResolvedPoolParts } from './pool-parts.ts';

/** What the supply asks and tells the pool. */
interface SupplyHooks<Resource> {
  /** How many wait for one now. */
  readonly waiting: () => number;
  /** A slot is nobody's. @returns true when somebody took it. */
  readonly claim: (slot: Slot<Resource>, nowMs: number) => boolean;
  /** Something came or went: there may be more to do for those who wait. */
  readonly changed: (nowMs: number) => void;
  /** An attempt failed. `forWaiter`: it was begun because somebody waited. */
  readonly failed: (error: MillpondError, forWaiter: boolean) => void;
  /** At this time, or before, `sweep` and `meet` should be called. */
  readonly wakeAt: (dueMs: number) => void;
}

/**
 * Keeps resources at hand: opens what is wanted, within the limits, checks what is in doubt, and retires what
 * is unfit.
 */
export class Supply<Resource> {
  readonly inventory: Inventory<Resource>;
  readonly #parts: ResolvedPoolParts<Resource>;
  readonly #hooks: SupplyHooks<Resource>;
  readonly #inspector: Inspector<Resource>;
  readonly #opener: Opener<Resource>;
  #connecting = 0;
  #closed = false;

  constructor(parts: ResolvedPoolParts<Resource>, hooks: SupplyHooks<Resource>) {
    const inventory = new Inventory(parts);
    this.inventory = inventory;
    this.#parts = parts;
    this.#hooks = hooks;
    this.#inspector = new Inspector({
      ...parts,
      onError: (error, slot) => inventory.announceError(error, slot),
    });
    this.#opener = new Opener({ ...parts, giveUp: (attempt) => inventory.retireLate(attempt) });
  }

  /** Being opened. */
  get connecting(): number {
    return this.#connecting;
  }

  /**
   * How many will come without anybody giving one back: idle, being checked, being opened, or allowed to be.
   */
  get coming(): number {
    return this.inventory.idle + this.#inspector.running + this.#connecting + this.#room;
  }

  /** Attempts that failed since the last success, and the error of the last one. */
  get failed(): { readonly count: number; readonly error: MillpondError | undefined } {
    return { count: this.#opener.failures, error: this.#opener.lastError };
  }

  /** Opens what is missing to `count`. @throws the error of the first that failed. */
  async fill(count: number): Promise<void> {
    const missing = Math.min(count - this.inventory.size, this.#room);
    await Promise.all(Array.from({ length: Math.max(0, missing) }, () => this.#open(true)));
  }

  /** An idle one that is fit and needs no ping. */
  takeReady(nowMs: number): Slot<Resource> | undefined {
    const { retired } = this.inventory;
    const slot = this.inventory.takeIdle(nowMs);
    // Some were found unfit on the way: `min` may be short.
    if (this.inventory.retired !== retired) this.#hooks.wakeAt(nowMs);
    if (slot === undefined || !this.#inspector.needsPing(slot, nowMs)) return slot;
    this.inventory.putIdle(slot);
    return undefined;
  }

  /**
   * Does what can be done for those who wait: gives them what is idle, after a ping where needed, and opens
   * the rest.
   */
  meet(nowMs: number): void {
    const { waiting } = this.#hooks;
    while (waiting() > 0) {
      const slot = this.takeReady(nowMs);
      if (slot === undefined) break;
      this.#place(slot, nowMs);
    }
    while (waiting() > this.#inspector.running) {
      const slot = this.inventory.takeIdle(nowMs);
      if (slot === undefined) break;
      this.#check(slot, 'ping');
    }
    this.#openWanted(nowMs);
  }

  /** Back from its holder. */
  takeBack(slot: Slot<Resource>, how: 'reuse' | 'discard', nowMs: number): void {
    const unfit = how === 'discard' ? 'discarded' : this.inventory.whyUnfit(slot, nowMs);
    if (unfit !== undefined) this.#drop(slot, unfit, nowMs);
    else if (this.#parts.factory.reset !== undefined) this.#check(slot, 'reset');
    else this.#place(slot, nowMs);
  }

  /** Retires idle ones that have had their time, and pings those due for it. */
  sweep(nowMs: number): void {
    for (const slot of this.inventory.sweep(nowMs)) this.#check(slot, 'ping');
  }

  /** Begins a new generation. */
  retireAll(reason: string): void {
    this.inventory.retireAll(reason);
    this.#hooks.changed(this.#parts.clock.now());
  }

  /**
   * From now on whatever comes back is retired, and nothing is opened. Settles when no attempt is under way.
   */
  async close(reason: MillpondError): Promise<void> {
    this.#closed = true;
    this.inventory.retireIdle('closed');
    this.#opener.abortAll(reason);
    // An aborted attempt waits for nothing but promise reactions, so this takes no turn of the event loop.
    while (this.#connecting > 0) await Promise.resolve();
  }

  /** Retires what has not come back, under its holders. Settles when all is destroyed, or was given up. */
  async cutOff(reason: MillpondError): Promise<void> {
    for (const slot of this.inventory.slots()) this.inventory.retire(slot, 'closed under its holder');
    this.#inspector.stop(reason);
    await this.inventory.ended();
  }

  /** How many more may be opened. */
  get #room(): number {
    const { max, maxOverflow } = this.#parts.options;
    return max + maxOverflow - this.inventory.size - this.#connecting;
  }

  #openWanted(nowMs: number): void {
    const unserved = this.#hooks.waiting() - this.#inspector.running;
    const wanted = Math.max(unserved, this.#parts.options.min - this.inventory.size) - this.#connecting;
    let count = Math.min(wanted, this.#room);
    if (count > 0 && this.#opener.failures > 0) {
      // One probe at a time, and after a pause. Its end, good or bad, leads back here.
      if (this.#connecting > 0) return;
      if (nowMs < this.#opener.retryAtMs) return this.#hooks.wakeAt(this.#opener.retryAtMs);
      count = 1;
    }
    for (; count > 0; count -= 1) {
      // The error has gone to `failed`, which is all that can be done with it.
      this.#open(this.#connecting < unserved).catch(() => undefined);
    }
  }

  #open(forWaiter: boolean): Promise<void> {
    const { generation } = this.inventory;
    const startedMs = this.#parts.clock.now();
    this.#connecting += 1;
    // Each in one step: it leaves `connecting` and enters the inventory, so that no place is given twice.
    const arrive = (resource: Resource) => {
      const nowMs = this.#parts.clock.now();
      this.#connecting -= 1;
      const slot = this.inventory.add({ resource, generation, openMs: nowMs - startedMs });
      this.#watch(slot);
      this.#placeIfFit(slot, nowMs);
      // After failures there was one attempt at a time: others may be wanted still.
      this.#hooks.changed(nowMs);
    };
    const fail = (error: MillpondError) => {
      this.#connecting -= 1;
      if (!this.#closed) this.inventory.announceError(error);
      this.#hooks.failed(error, forWaiter);
      throw error;
    };
    return runInRootContext(() => this.#opener.open().then(arrive, fail));
  }

  #watch(slot: Slot<Resource>): void {
    const { factory, clock } = this.#parts;
    if (factory.lost === undefined) return;
    const hear = (error: unknown): void => {
      if (slot.retired || this.#closed) return;
      this.inventory.announceError(error, slot);
      this.#hooks.wakeAt(clock.now());
    };
    const loss = async (): Promise<Error> => factory.lost!(slot.resource);
    loss().then(hear, hear);
  }

  #check(slot: Slot<Resource>, check: Check): void {
    this.#inspector.check(slot, check, (passed) => {
      // Cut off meanwhile.
      if (slot.retired) return;
      const nowMs = this.#parts.clock.now();
      if (!passed) return this.#drop(slot, `${check} failed`, nowMs);
      slot.checkedAtMs = nowMs;
      this.#placeIfFit(slot, nowMs);
    });
  }

  #placeIfFit(slot: Slot<Resource>, nowMs: number): void {
    const unfit = this.inventory.whyUnfit(slot, nowMs);
    if (unfit !== undefined) this.#drop(slot, unfit, nowMs);
    else this.#place(slot, nowMs);
  }

  /** Finds the place of a slot that is nobody's: with a claimant, out, or among the idle ones. */
  #place(slot: Slot<Resource>, nowMs: number): void {
    if (this.#closed) return this.#drop(slot, 'closed', nowMs);
    if (this.#hooks.claim(slot, nowMs)) return;
    if (this.inventory.size > this.#parts.options.max) return this.#drop(slot, 'overflow', nowMs);
    this.inventory.putIdle(slot);
    this.#hooks.wakeAt(this.inventory.dueMs(slot));
  }

  #drop(slot: Slot<Resource>, reason: string, nowMs: number): void {
    this.inventory.retire(slot, reason);
    this.#hooks.changed(nowMs);
  }
}
