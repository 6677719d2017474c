import type { AcquireRequest, LeaseSource } from '../driver/index.ts';
import {
  ConnectionError,
  UsageError,
  type ConnectionPoolExhaustedError,
  type MillpondError,
} from '../errors/index.ts';
import { Drain } from './drain.ts';
import { exhaustedError } from './exhausted-error.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { LeakWatch } from './leak-watch.ts';
import { Lease, type LeaseDetails, type LeaseOwner, type Slot } from './lease.ts';
import type { PoolParts } from './pool-parts.ts';
import { liveLeases, longestLease, type LeaseInfo, type PoolStats } from './pool-stats.ts';
import { Supply } from './supply.ts';
import type { Below } from './trace.ts';
import { WaitingLine, Waiter } from './waiting-line.ts';
import { WakeTimer } from './wake-timer.ts';

const CLOSE_TIMEOUT_MS = 10_000;
const NO_REQUEST: AcquireRequest = Object.freeze({});

/**
 * Lends resources to one taker at a time. A taker that finds none idle waits in line, and whatever comes free
 * first (returned, opened or pinged) goes to the longest waiter: nobody waits for a particular resource.
 */
export class Pool<Resource> implements LeaseSource<Resource> {
  readonly name: string;
  readonly #parts: PoolParts<Resource>;
  readonly #supply: Supply<Resource>;
  // With an empty line, nothing that the timer does is waited for.
  readonly #line = new WaitingLine<Lease<Resource>>(() => this.#timer.keepAlive(false));
  readonly #asOwner: LeaseOwner<Resource>;
  readonly #leaks: LeakWatch;
  readonly #waits = new LatencyHistogram();
  readonly #timer: WakeTimer;
  readonly #drain: Drain;
  #state: 'open' | 'suspended' | 'closing' | 'closed' = 'open';
  #timeouts = 0;
  #closed: Promise<void> | undefined;

  constructor(parts: PoolParts<Resource>) {
    const { name, options, announce, clock } = parts;
    this.name = name;
    this.#parts = parts;
    this.#supply = new Supply(
      { ...parts, random: parts.random ?? Math.random },
      {
        waiting: () => (this.#state === 'open' ? this.#line.length : 0),
        claim: (slot, nowMs) => this.#handToNext(slot, nowMs),
        changed: (nowMs) => this.#serve(nowMs),
        failed: (error, forWaiter) => this.#openingFailed(error, forWaiter),
        wakeAt: (dueMs) => this.#timer.wakeAt(dueMs),
      },
    );
    this.#asOwner = {
      isCurrent: (generation) => generation === this.generation,
      takeBack: (slot, lease, how) => this.#takeBack(slot, lease, how),
    };
    this.#leaks = new LeakWatch({ name, announce, leakAfterMs: options.leakAfterMs });
    this.#timer = new WakeTimer(clock, (nowMs) => this.#sweep(nowMs));
    this.#drain = new Drain(clock);
  }

  /** Callers in line. */
  get waiting(): number {
    return this.#line.length;
  }

  /** Rises with every `retireAll`. */
  get generation(): number {
    return this.#supply.inventory.generation;
  }

  /**
   * Opens `count` connections, so that a database that cannot be reached is an error now and not at the first
   * call.
   * @throws ConnectionError of the first that failed. The pool may then be closed, or used: it goes on
   * trying.
   */
  async start(count: number = this.#parts.options.min): Promise<void> {
    if (this.#isClosing) throw closedError(this.name);
    await this.#supply.fill(count);
  }

  /**
   * Gives a lease as soon as one is free; callers are served in the order of their calls.
   * @throws ConnectionPoolExhaustedError after the timeout, or at once when the line is full; ConnectionError
   * when the pool is closed, or has no connection at all and could not open one; the signal's reason when it
   * aborts.
   */
  acquire(request: AcquireRequest = NO_REQUEST): Promise<Lease<Resource>> {
    if (request.signal?.aborted) return Promise.reject(request.signal.reason as unknown);
    // oxlint-disable-next-line typescript/unbound-method -- a mark in the stack, never called
    const lease = this.#takeReady(request, this.acquire);
    return lease === undefined ? this.#wait(request) : Promise.resolve(lease);
  }

  /** A lease if one can be had at this moment: nobody is in line, and one is idle that needs no ping. */
  tryAcquire(holder?: string): Lease<Resource> | undefined {
    // oxlint-disable-next-line typescript/unbound-method -- a mark in the stack, never called
    return this.#takeReady({ holder }, this.tryAcquire);
  }

  /** From now on acquires wait, until `resume`. Leases that are out may come back. */
  suspend(): void {
    if (this.#state === 'open') this.#state = 'suspended';
  }

  resume(): void {
    if (this.#state !== 'suspended') return;
    this.#state = 'open';
    this.#serve(this.#parts.clock.now());
  }

  /** Replaces every connection, as after a failover: idle ones now, leased ones when they come back. */
  retireAll(reason: string): void {
    this.#supply.retireAll(reason);
  }

  stats(): PoolStats {
    const { inventory, connecting } = this.#supply;
    const { size, idle, leased, created, retired } = inventory;
    const { max } = this.#parts.options;
    const open = {
      size,
      idle,
      leased,
      waiting: this.#line.length,
      connecting,
      max,
      overflow: Math.max(0, size - max),
    };
    return { ...open, created, retired, timeouts: this.#timeouts, acquireMs: this.#waits.summary() };
  }

  /** The leases that are out, the longest first. */
  leases(): LeaseInfo[] {
    return liveLeases(this.#supply.inventory.slots(), this.#parts.clock.now());
  }

  /**
   * Refuses new acquires and those in line, waits up to `timeoutMs` for leases to come back, then destroys
   * what is left under its holders. Always settles, at most `destroyTimeoutMs` after that. Called again, it
   * can only wait less.
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#shutDown();
    this.#drain.limit(timeoutMs);
    return this.#closed;
  }

  get #isClosing(): boolean {
    return this.#state === 'closing' || this.#state === 'closed';
  }

  #takeReady(request: AcquireRequest, below: Below): Lease<Resource> | undefined {
    // Latecomers do not overtake those in line.
    if (this.#state !== 'open' || this.#line.length > 0) return undefined;
    const nowMs = this.#parts.clock.now();
    const slot = this.#supply.takeReady(nowMs);
    if (slot === undefined) return undefined;
    this.#waits.record(0);
    const trace = this.#leaks.trace(request, nowMs, below);
    return this.#lend(slot, { acquiredAtMs: nowMs, holder: request.holder ?? '', trace });
  }

  #wait(request: AcquireRequest): Promise<Lease<Resource>> {
    const { holder, signal, timeoutMs = this.#patienceMs() } = request;
    const refusal = this.#whyNotWait(timeoutMs);
    if (refusal !== undefined) return Promise.reject(refusal);
    const nowMs = this.#parts.clock.now();
    // oxlint-disable-next-line typescript/unbound-method -- a mark in the stack, never called
    const trace = this.#leaks.trace(request, nowMs, this.acquire);
    return new Promise((resolve, reject) => {
      const details = { holder: holder ?? '', trace, signal, sinceMs: nowMs, timeoutMs };
      const waiter = new Waiter({ resolve, reject }, details);
      this.#line.push(waiter);
      this.#serve(nowMs);
      // Even a caller that does not wait joins the line for a moment: that starts opening what the next
      // caller will find.
      if (timeoutMs <= 0) this.#expire(waiter);
      else if (waiter.line !== undefined) this.#keepWaiting(waiter);
    });
  }

  /** How long a caller may wait that joins the line now and names no limit. */
  #patienceMs(): number {
    const { factory, options } = this.#parts;
    const { acquireTimeoutMs, createTimeoutMs } = options;
    if (acquireTimeoutMs === 0 || factory.opensHere !== true) return acquireTimeoutMs;
    const { coming, failed } = this.#supply;
    const isOpenedFor = failed.count === 0 && this.#line.length < coming;
    return isOpenedFor ? Math.max(acquireTimeoutMs, createTimeoutMs) : acquireTimeoutMs;
  }

  /** The waiter will be told, in time: a process that has nothing else to do must not end before. */
  #keepWaiting({ deadlineMs }: Waiter<Lease<Resource>>): void {
    this.#timer.keepAlive(true);
    this.#timer.wakeAt(deadlineMs);
  }

  #whyNotWait(timeoutMs: number): MillpondError | undefined {
    if (this.#isClosing) return closedError(this.name);
    if (!Number.isFinite(timeoutMs)) return new UsageError(`A timeoutMs of ${timeoutMs} has no end.`);
    // Those who will get what is idle, being checked or yet to be opened need nobody to give one back.
    if (this.#line.length < this.#parts.options.maxWaiting + this.#supply.coming) return undefined;
    const error = this.#exhausted('No connection is free and the waiting line is full');
    this.#parts.announce.emit('pool:exhausted', { pool: this.name, error });
    return error;
  }

  #lend(slot: Slot<Resource>, details: LeaseDetails): Lease<Resource> {
    const lease = new Lease(this.#asOwner, slot, details);
    slot.lease = lease;
    slot.leakReported = false;
    this.#timer.wakeAt(this.#leaks.dueMs(details.acquiredAtMs));
    return lease;
  }

  #takeBack(slot: Slot<Resource>, lease: Lease<Resource>, how: 'reuse' | 'discard'): void {
    const nowMs = this.#parts.clock.now();
    slot.lease = undefined;
    slot.idleSinceMs = nowMs;
    slot.checkedAtMs = nowMs;
    if (slot.leakReported) this.#leaks.reportReturn(lease, nowMs);
    this.#supply.takeBack(slot, how, nowMs);
  }

  /** Gives a slot that is nobody's to the longest waiter. */
  #handToNext(slot: Slot<Resource>, nowMs: number): boolean {
    const waiter = this.#state === 'open' ? this.#line.shift() : undefined;
    if (waiter === undefined) return false;
    const { holder, trace, sinceMs } = waiter.details;
    const waitedMs = nowMs - sinceMs;
    this.#waits.record(waitedMs);
    waiter.resolve(this.#lend(slot, { acquiredAtMs: nowMs, holder, trace }));
    const { options, announce } = this.#parts;
    const isSlow = options.warnAcquireMs > 0 && waitedMs > options.warnAcquireMs;
    if (isSlow) announce.emit('pool:slow-acquire', { pool: this.name, waitedMs });
    return true;
  }

  #serve(nowMs: number): void {
    if (this.#state === 'open') this.#supply.meet(nowMs);
    else if (this.#isClosing && this.#supply.inventory.size === 0) this.#drain.finish();
  }

  #openingFailed(error: MillpondError, forWaiter: boolean): void {
    // With nothing open and nothing being opened, there is nothing that would come soon.
    const { inventory, connecting } = this.#supply;
    // An attempt that was begun for nobody says nothing to who came later, when what there was had been lost.
    const isHopeless = forWaiter && this.#state === 'open' && inventory.size === 0 && connecting === 0;
    if (isHopeless) for (const waiter of this.#line.clear()) waiter.reject(error);
    this.#serve(this.#parts.clock.now());
  }

  /** Does everything that is due. @returns when the next is. */
  #sweep(nowMs: number): number {
    const { inventory } = this.#supply;
    for (const waiter of this.#line.due(nowMs)) this.#expire(waiter);
    const leakDueMs = this.#leaks.report(inventory.slots(), nowMs);
    this.#supply.sweep(nowMs);
    this.#serve(nowMs);
    return Math.min(this.#line.nextDeadlineMs, leakDueMs, inventory.nextDueMs());
  }

  #expire(waiter: Waiter<Lease<Resource>>): void {
    const { timeoutMs } = waiter.details;
    const why = timeoutMs > 0 ? `No connection came free within ${timeoutMs} ms` : 'No connection is free';
    const error = this.#exhausted(why);
    // Served, or gone, in the meantime.
    if (!this.#line.remove(waiter)) return;
    this.#timeouts += 1;
    waiter.reject(error);
    this.#parts.announce.emit('pool:exhausted', { pool: this.name, error });
  }

  #exhausted(why: string): ConnectionPoolExhaustedError {
    const longest = longestLease(this.#supply.inventory.slots(), this.#parts.clock.now());
    return exhaustedError({
      name: this.name,
      why,
      stats: this.stats(),
      longest,
      failed: this.#supply.failed,
    });
  }

  async #shutDown(): Promise<void> {
    this.#state = 'closing';
    const error = closedError(this.name);
    for (const waiter of this.#line.clear()) waiter.reject(error);
    const nothingOpening = this.#supply.close(error);
    this.#serve(this.#parts.clock.now());
    await Promise.all([this.#drain.over, nothingOpening]);
    await this.#supply.cutOff(error);
    this.#timer.stop();
    this.#state = 'closed';
  }
}

function closedError(name: string): ConnectionError {
  return new ConnectionError(`Pool "${name}" is closed.`, { code: 'ERR_MILLPOND_CLOSED' });
}
