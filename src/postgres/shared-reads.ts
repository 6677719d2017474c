import { runInRootContext } from '../async/index.ts';
import type { LeaseLike } from '../driver/index.ts';
import { CallQueue } from './call-queue.ts';
import type { ConnectionSource } from './clean-source.ts';
import type { PostgresConnection } from './connection.ts';
import { ENGINE_HOLDERS } from './holders.ts';
import { renewSteps, type PendingCall } from './pending-call.ts';
import { SqlState } from './translate-failure.ts';

/** A statement that runs longer than this while others stand behind it has held them up. */
const STALL_MS = 20;
const LOOK_EVERY_MS = 10;
/** Another connection joins when each has this many calls under way. */
const CALLS_BEFORE_SPREAD = 16;
/** More wait here: what is sent cannot be called back. */
const MAX_UNDER_WAY = 256;

interface SharedReadsParts {
  /** Connections on which nothing can be written. */
  readonly source: ConnectionSource;
  readonly maxConnections: number;
  /** Sends a call that has no business here. */
  runAlone(call: PendingCall): void;
}

/** A connection that many calls share. */
interface Shared {
  readonly lease: LeaseLike<PostgresConnection>;
  /** Under way on it, in order. */
  readonly calls: Set<PendingCall>;
  /** What ran at the last look, and since when. */
  running: PendingCall | undefined;
  runningSince: number;
  /** A slow statement keeps it; it goes back when that has ended. */
  isApart: boolean;
}

/**
 * Reads that are known to be cheap, outside transactions: many calls at once on a few connections, without
 * waiting for the answers. Each has a Sync of its own, so an error stays with its statement.
 *
 * On these connections the server refuses every write, so what runs here is a read by the server's own word:
 * it may be sent again, on another connection, when one turns out to be slow and others stand behind it, or
 * when its connection is lost.
 */
export class SharedReads {
  /** How often a read was sent again from behind a slow one. */
  moved = 0;
  readonly #parts: SharedReadsParts;
  readonly #queue = new CallQueue();
  #shared: Shared[] = [];
  #isAcquiring = false;
  #lookTimer: NodeJS.Timeout | undefined;
  #releaseScheduled = false;

  constructor(parts: SharedReadsParts) {
    this.#parts = parts;
  }

  /** Calls in line or under way. */
  get pending(): number {
    return this.#shared.reduce((sum, { calls }) => sum + calls.size, this.#queue.length);
  }

  submit(call: PendingCall): void {
    call.placement = 'worker';
    const shared = this.#queue.length === 0 ? this.#leastBusy() : undefined;
    if (shared !== undefined) return this.#send(shared, call);
    this.#queue.push(call);
    this.#acquire();
  }

  #leastBusy(): Shared | undefined {
    let best: Shared | undefined;
    for (const shared of this.#shared) {
      if (!shared.lease.resource.usable || shared.calls.size >= MAX_UNDER_WAY) continue;
      if (best === undefined || shared.calls.size < best.calls.size) best = shared;
    }
    if (best === undefined) return this.#tryIdle();
    if (best.calls.size >= CALLS_BEFORE_SPREAD && this.#shared.length < this.#parts.maxConnections) {
      return this.#tryIdle() ?? this.#spread(best);
    }
    return best;
  }

  #spread(best: Shared): Shared {
    this.#acquire();
    return best;
  }

  #tryIdle(): Shared | undefined {
    const lease = this.#parts.source.tryAcquire(ENGINE_HOLDERS.sharedReads);
    return lease === undefined ? undefined : this.#adopt(lease);
  }

  #adopt(lease: LeaseLike<PostgresConnection>): Shared {
    const shared: Shared = { lease, calls: new Set(), running: undefined, runningSince: 0, isApart: false };
    this.#shared.push(shared);
    return shared;
  }

  #acquire(): void {
    if (this.#isAcquiring) return;
    this.#isAcquiring = true;
    this.#parts.source.acquire({ holder: ENGINE_HOLDERS.sharedReads }).then(
      (lease) => {
        this.#isAcquiring = false;
        const shared = this.#adopt(lease);
        this.#sendQueued(shared);
        if (shared.calls.size === 0) this.#scheduleRelease();
      },
      () => {
        this.#isAcquiring = false;
        // There are other connections: whoever waits longer there than it may is told so.
        this.#runQueuedAlone();
      },
    );
  }

  #runQueuedAlone(): void {
    if (this.#shared.some(({ lease }) => lease.resource.usable)) return;
    for (let call = this.#queue.shift(); call !== undefined; call = this.#queue.shift()) {
      this.#parts.runAlone(call);
    }
  }

  #sendQueued(shared: Shared): void {
    const { resource } = shared.lease;
    while (this.#queue.length > 0 && resource.usable && shared.calls.size < MAX_UNDER_WAY) {
      this.#send(shared, this.#queue.shift()!);
    }
  }

  #send(shared: Shared, call: PendingCall): void {
    shared.calls.add(call);
    this.#lookTimer ??= runInRootContext(() =>
      // What has arrived while the event loop stood still is heard first.
      setInterval(() => setImmediate(() => this.#look()), LOOK_EVERY_MS),
    ).unref();
    shared.lease.resource.send(call, {
      moves: (failure) => this.#whereTo(call, failure?.code),
      over: () => this.#over(shared, call),
    });
  }

  /** A write, or what only works where writes do, goes to the other connections; a lost read to another. */
  #whereTo(call: PendingCall, code: string | undefined): (() => void) | undefined {
    if (code !== undefined && code !== SqlState.readOnly) return undefined;
    const plan = call.plans[0]!;
    if (code === undefined && call.retries > 0) return undefined;
    if (code === SqlState.readOnly) plan.mayShare = false;
    call.retries += 1;
    return () => this.#parts.runAlone(renewSteps(call));
  }

  #over(shared: Shared, call: PendingCall): void {
    shared.calls.delete(call);
    if (this.#queue.length > 0) this.#sendQueued(shared);
    if (shared.calls.size > 0) return;
    if (shared.isApart || !shared.lease.resource.usable) this.#drop(shared);
    else this.#scheduleRelease();
  }

  /** Not at once: the callers that were just answered are about to ask for more. */
  #scheduleRelease(): void {
    if (this.#releaseScheduled) return;
    this.#releaseScheduled = true;
    setImmediate(() => {
      this.#releaseScheduled = false;
      for (const shared of [...this.#shared]) if (shared.calls.size === 0) this.#drop(shared);
    });
  }

  #drop(shared: Shared): void {
    const { lease } = shared;
    this.#shared = this.#shared.filter((other) => other !== shared);
    lease.release(lease.resource.usable ? 'reuse' : 'discard');
    if (this.#queue.length > 0) this.#acquire();
    if (this.#shared.length > 0 || this.#lookTimer === undefined) return;
    clearInterval(this.#lookTimer);
    this.#lookTimer = undefined;
  }

  /** Looks for a connection that a single statement keeps busy while others stand behind it. */
  #look(): void {
    const now = performance.now();
    for (const shared of [...this.#shared]) {
      const running = shared.calls.values().next().value;
      if (running !== shared.running) {
        shared.running = running;
        shared.runningSince = now;
      } else if (running !== undefined && now - shared.runningSince > STALL_MS) {
        running.plans[0]!.cost.recordStall((now - shared.runningSince) * 1_000);
        this.#setApart(shared, running);
      }
    }
  }

  /** The slow statement keeps its connection until it ends; those behind it are sent again. */
  #setApart(shared: Shared, slow: PendingCall): void {
    this.#shared = this.#shared.filter((other) => other !== shared);
    shared.isApart = true;
    const behind = [...shared.calls].filter((call) => call !== slow && !call.settled);
    for (const call of behind) {
      // One that is being stopped is waited for where it was sent.
      if (call.cancelReason !== undefined) continue;
      this.moved += 1;
      shared.lease.resource.abandon(call);
      this.submit(renewSteps(call));
    }
  }
}
