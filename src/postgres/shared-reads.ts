import { AfterTurn, runInRootContext } from '../async/index.ts';
import type { LeaseLike } from '../driver/index.ts';
import { CallQueue } from './call-queue.ts';
import type { ConnectionSource } from './clean-source.ts';
import type { PostgresConnection } from './connection.ts';
import { ENGINE_HOLDERS } from './engine-connections.ts';
import type { SenderEnvironment } from './call-sender.ts';
import { renewSteps, type PendingCall } from './pending-call.ts';
import { SharedConnection } from './shared-connection.ts';
import { SqlState } from './translate-failure.ts';

/** A statement that runs longer than this while others stand behind it has held them up. */
const STALL_MS = 20;
const LOOK_EVERY_MS = 10;
/** Another connection joins when each has this many calls under way. */
const CALLS_BEFORE_SPREAD = 16;
/** Most calls under way on a connection; the others wait here, since what is sent cannot be called back. */
const MAX_UNDER_WAY = 256;

interface SharedReadsParts {
  /** Connections on which nothing can be written. */
  readonly source: ConnectionSource;
  readonly maxConnections: number;
  readonly environment: SenderEnvironment;
  /** How long it takes the server, in µs, beyond the round trip. */
  readonly costOf: (call: PendingCall) => number;
  /** The round trip, in ms. */
  wayMs(): number;
  /** Sends a call that does not belong here. */
  runAlone(call: PendingCall): void;
}

/**
 * Reads that are known to be cheap, outside transactions: many calls at once on a few connections, without
 * waiting for the answers. Each has a Sync of its own, so an error stays with its statement.
 *
 * On these connections the server refuses every write, so what runs here is certain to be a read: it may be
 * sent again, on another connection, when one turns out to be slow and others stand behind it, or when its
 * connection is lost.
 */
export class SharedReads {
  /** How often a read was sent again from behind a slow one. */
  moved = 0;
  readonly #parts: SharedReadsParts;
  readonly #queue = new CallQueue();
  #shared: SharedConnection[] = [];
  /** Aborted when the calls that a connection was asked for have ended without it. */
  #acquiring: AbortController | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  /** Not at once: the callers that were just answered are about to ask for more. */
  readonly #givingBack = new AfterTurn(() => this.giveBackIdle());

  constructor(parts: SharedReadsParts) {
    this.#parts = parts;
  }

  /** Calls in line or under way. */
  get pending(): number {
    return this.#shared.reduce((sum, { size }) => sum + size, this.#queue.length);
  }

  submit(call: PendingCall): void {
    call.placement = 'worker';
    const shared = this.#queue.length === 0 ? this.#leastBusy() : undefined;
    if (shared !== undefined) return this.#send(shared, call);
    this.#queue.push(call);
    this.#acquire();
  }

  #leastBusy(): SharedConnection | undefined {
    let best: SharedConnection | undefined;
    for (const shared of this.#shared) {
      if (!shared.isUsable || shared.size >= MAX_UNDER_WAY) continue;
      if (best === undefined || shared.size < best.size) best = shared;
    }
    if (best === undefined) return this.#tryIdle();
    if (best.size >= CALLS_BEFORE_SPREAD && this.#shared.length < this.#parts.maxConnections) {
      return this.#tryIdle() ?? this.#spread(best);
    }
    return best;
  }

  #spread(best: SharedConnection): SharedConnection {
    this.#acquire();
    return best;
  }

  #tryIdle(): SharedConnection | undefined {
    const lease = this.#parts.source.tryAcquire(ENGINE_HOLDERS.sharedReads);
    return lease === undefined ? undefined : this.#adopt(lease);
  }

  #adopt(lease: LeaseLike<PostgresConnection>): SharedConnection {
    const { environment, costOf } = this.#parts;
    const shared = new SharedConnection({
      lease,
      environment,
      costOf,
      submit: (call) => this.submit(call),
      whereTo: (call, failure) => this.#whereTo(call, failure?.code),
      onOver: () => this.#over(shared),
    });
    this.#shared.push(shared);
    return shared;
  }

  #acquire(): void {
    if (this.#acquiring !== undefined) return;
    const acquiring = new AbortController();
    const { signal } = acquiring;
    this.#acquiring = acquiring;
    this.#parts.source.acquire({ holder: ENGINE_HOLDERS.sharedReads, signal }).then(
      (lease) => {
        if (this.#acquiring === acquiring) this.#acquiring = undefined;
        const shared = this.#adopt(lease);
        this.#sendQueued(shared);
        if (shared.size === 0) this.#givingBack.schedule();
      },
      () => {
        if (signal.aborted) return;
        this.#acquiring = undefined;
        // There are other connections: a call that waits too long there is told so.
        this.#runQueuedAlone();
      },
    );
  }

  #runQueuedAlone(): void {
    if (this.#shared.some(({ isUsable }) => isUsable)) return;
    for (let call = this.#queue.shift(); call !== undefined; call = this.#queue.shift()) {
      this.#parts.runAlone(call);
    }
  }

  #sendQueued(shared: SharedConnection): void {
    while (this.#queue.length > 0 && shared.isUsable && shared.size < MAX_UNDER_WAY) {
      this.#send(shared, this.#queue.shift()!);
    }
  }

  #send(shared: SharedConnection, call: PendingCall): void {
    this.#lookTimer ??= runInRootContext(() =>
      // What has arrived while the event loop stood still is heard first.
      setInterval(() => setImmediate(() => this.#look()), LOOK_EVERY_MS),
    ).unref();
    shared.send(call);
  }

  /**
   * A write, or a statement that works only where writes do, goes to the other connections; a lost read goes
   * to another one of these.
   */
  #whereTo(call: PendingCall, code: string | undefined): (() => void) | undefined {
    if (code !== undefined && code !== SqlState.readOnly) return undefined;
    const plan = call.plans[0]!;
    if (code === undefined && call.retries > 0) return undefined;
    if (code === SqlState.readOnly) {
      plan.mayShare = false;
      plan.hasOnlyRead = false;
      plan.hasWritten = true;
    }
    call.retries += 1;
    return () => this.#parts.runAlone(renewSteps(call));
  }

  #over(shared: SharedConnection): void {
    if (shared.isApart) {
      if (shared.size === 0) this.#drop(shared);
      return;
    }
    if (this.#queue.length > 0) this.#sendQueued(shared);
    if (shared.size > 0) return;
    if (shared.isUsable) this.#givingBack.schedule();
    else this.#drop(shared);
  }

  /** Ends the moment that connections are kept for those who were just answered. */
  giveBackIdle(): void {
    if (this.pending === 0) {
      // What is given back would come here again otherwise.
      this.#acquiring?.abort();
      this.#acquiring = undefined;
    }
    for (const shared of [...this.#shared]) if (shared.size === 0) this.#drop(shared);
  }

  #drop(shared: SharedConnection): void {
    this.#shared = this.#shared.filter((other) => other !== shared);
    shared.release();
    if (this.#queue.length > 0) this.#acquire();
    if (this.#shared.length > 0 || this.#lookTimer === undefined) return;
    clearInterval(this.#lookTimer);
    this.#lookTimer = undefined;
  }

  /** Looks for a connection that a single statement keeps busy while others stand behind it. */
  #look(): void {
    const now = performance.now();
    for (const shared of [...this.#shared]) {
      const ranMs = shared.look(now);
      if (ranMs > STALL_MS + this.#parts.wayMs()) this.#setApart(shared, ranMs);
    }
  }

  /** The slow statement keeps its connection until it ends; those behind it are sent again. */
  #setApart(shared: SharedConnection, ranMs: number): void {
    this.#shared = this.#shared.filter((other) => other !== shared);
    const { slow, behind } = shared.setApart();
    slow?.plans[0]!.cost.recordStall(ranMs * 1_000);
    for (const call of behind) {
      this.moved += 1;
      this.submit(renewSteps(call));
    }
  }
}
