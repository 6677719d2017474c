import { ConnectionError } from '../errors/index.ts';
import { Endings } from './endings.ts';
import type { ResourceDescription } from './factory.ts';
import type { Slot } from './lease.ts';
import type { ResolvedPoolParts } from './pool-parts.ts';

interface Opened<Resource> {
  readonly resource: Resource;
  readonly generation: number;
  readonly openMs: number;
}

/**
 * Share of `maxLifetimeMs`, and of `keepaliveMs`, that chance decides: what was opened together must not end
 * together.
 */
const JITTER = 0.1;

/** What the pool owns: which resources there are, which are idle, and the end of those that are retired. */
export class Inventory<Resource> {
  readonly #parts: ResolvedPoolParts<Resource>;
  readonly #slots = new Set<Slot<Resource>>();
  /** Longest idle first: slots are taken from the end, so that those not needed keep aging at the start. */
  readonly #idle: Slot<Resource>[] = [];
  readonly #endings: Endings;
  #generation = 1;
  #retireReason = '';
  #created = 0;
  #retired = 0;

  constructor(parts: ResolvedPoolParts<Resource>) {
    this.#parts = parts;
    const { name, clock, options } = parts;
    this.#endings = new Endings({ name, clock, limitMs: options.destroyTimeoutMs });
  }

  get generation(): number {
    return this.#generation;
  }

  get size(): number {
    return this.#slots.size;
  }

  get idle(): number {
    return this.#idle.length;
  }

  get leased(): number {
    return this.#slots.size - this.#idle.length;
  }

  get created(): number {
    return this.#created;
  }

  get retired(): number {
    return this.#retired;
  }

  /** All of them: idle, leased and being checked. */
  slots(): Iterable<Slot<Resource>> {
    return this.#slots;
  }

  add({ resource, generation, openMs }: Opened<Resource>): Slot<Resource> {
    const { factory, options, announce, clock, random } = this.#parts;
    const nowMs = clock.now();
    this.#created += 1;
    const slot: Slot<Resource> = {
      ...this.#describe(resource),
      resource,
      generation,
      expiresAtMs: nowMs + orNever(options.maxLifetimeMs * (1 - JITTER * random())),
      keepaliveMs: factory.ping
        ? orNever(options.keepaliveMs * (1 - JITTER + 2 * JITTER * random()))
        : Infinity,
      idleSinceMs: nowMs,
      checkedAtMs: nowMs,
      lease: undefined,
      leakReported: false,
      retired: false,
    };
    this.#slots.add(slot);
    announce.emit('connection:open', { connectionId: slot.connectionId, role: slot.role, openMs });
    return slot;
  }

  /** Takes the one used last, and retires those found unfit on the way. */
  takeIdle(nowMs: number): Slot<Resource> | undefined {
    for (let slot = this.#idle.pop(); slot !== undefined; slot = this.#idle.pop()) {
      const unfit = this.whyUnfit(slot, nowMs);
      if (unfit === undefined) return slot;
      this.retire(slot, unfit);
    }
    return undefined;
  }

  putIdle(slot: Slot<Resource>): void {
    let place = this.#idle.length;
    // Only one that was away for a ping can have been idle for longer than the last.
    while (place > 0 && this.#idle[place - 1]!.idleSinceMs > slot.idleSinceMs) place -= 1;
    if (place === this.#idle.length) this.#idle.push(slot);
    else this.#idle.splice(place, 0, slot);
  }

  /** Why it may not be lent (again); undefined when it may. */
  whyUnfit(slot: Slot<Resource>, nowMs: number): string | undefined {
    if (slot.generation !== this.#generation) return this.#retireReason;
    if (nowMs >= slot.expiresAtMs) return 'lifetime';
    return this.#isUsable(slot) ? undefined : 'unusable';
  }

  /**
   * Retires idle ones that are unfit, or idle for too long and more than `min`. @returns those due for a
   * ping, taken out.
   */
  sweep(nowMs: number): Slot<Resource>[] {
    const duePing: Slot<Resource>[] = [];
    // Over a copy, and each is looked up again: a listener that hears of a fault here may acquire one in the
    // middle of it.
    for (const slot of this.#idle.slice()) {
      const unfit = this.whyUnfit(slot, nowMs) ?? this.#whyNotNeeded(slot, nowMs);
      const isDue = nowMs - slot.checkedAtMs >= slot.keepaliveMs;
      if ((unfit === undefined && !isDue) || !this.#removeIdle(slot)) continue;
      if (unfit === undefined) duePing.push(slot);
      else this.retire(slot, unfit);
    }
    return duePing;
  }

  /** When `sweep` will have something to do with this one, should it stay idle. */
  dueMs(slot: Slot<Resource>): number {
    const { idleTimeoutMs, min } = this.#parts.options;
    const idleDueMs = idleTimeoutMs > 0 && this.size > min ? slot.idleSinceMs + idleTimeoutMs : Infinity;
    return Math.min(idleDueMs, slot.expiresAtMs, slot.checkedAtMs + slot.keepaliveMs);
  }

  nextDueMs(): number {
    return this.#idle.reduce((earliestMs, slot) => Math.min(earliestMs, this.dueMs(slot)), Infinity);
  }

  /** Begins a new generation: what is idle goes now, what is in use when it comes back. */
  retireAll(reason: string): void {
    this.#generation += 1;
    this.#retireReason = reason;
    this.retireIdle(reason);
  }

  retireIdle(reason: string): void {
    for (const slot of this.#idle.splice(0)) this.retire(slot, reason);
  }

  /**
   * Its place is free at once; its end is awaited by `ended` only. The slot must not be among the idle ones
   * any more.
   */
  retire(slot: Slot<Resource>, reason: string): void {
    slot.retired = true;
    slot.lease = undefined;
    this.#slots.delete(slot);
    this.#retired += 1;
    const { factory, announce } = this.#parts;
    const { resource, connectionId, role } = slot;
    const destroy = async () => factory.destroy(resource, reason);
    this.#endings.follow(destroy, (error) => {
      if (error !== undefined) this.announceError(error, slot);
      announce.emit('connection:close', { connectionId, role, reason });
    });
  }

  /** Destroys what an abandoned attempt may still bring. */
  retireLate(attempt: Promise<Resource>): void {
    const destroy = async () => {
      const arrived = await attempt.then(
        (resource) => ({ resource }),
        () => undefined,
      );
      // A failure needs no end, and was reported where the attempt was made.
      if (arrived !== undefined) await this.#parts.factory.destroy(arrived.resource, 'late');
    };
    this.#endings.follow(destroy, (error) => {
      if (error !== undefined) this.announceError(error);
    });
  }

  /** Settles when nothing is on its way out any more. */
  ended(): Promise<void> {
    return this.#endings.settled();
  }

  announceError(error: unknown, slot?: ResourceDescription): void {
    const { connectionId, role } = slot ?? { connectionId: 0, role: this.#role };
    const cause =
      error instanceof Error ? error : new ConnectionError('A connection failed.', { cause: error });
    this.#parts.announce.emit('connection:error', { connectionId, role, error: cause });
  }

  get #role(): string {
    return this.#parts.factory.role ?? this.#parts.name;
  }

  #describe(resource: Resource): ResourceDescription {
    const counted = { connectionId: this.#created, role: this.#role };
    try {
      const described = this.#parts.factory.describe?.(resource);
      return described === undefined
        ? counted
        : { connectionId: described.connectionId, role: described.role };
    } catch (error) {
      this.announceError(error, counted);
      return counted;
    }
  }

  #isUsable(slot: Slot<Resource>): boolean {
    const { factory } = this.#parts;
    if (factory.isUsable === undefined) return true;
    try {
      return factory.isUsable(slot.resource);
    } catch (error) {
      this.announceError(error, slot);
      return false;
    }
  }

  #whyNotNeeded(slot: Slot<Resource>, nowMs: number): string | undefined {
    const { idleTimeoutMs, min } = this.#parts.options;
    const isLong = idleTimeoutMs > 0 && nowMs - slot.idleSinceMs >= idleTimeoutMs;
    return isLong && this.size > min ? 'idle' : undefined;
  }

  #removeIdle(slot: Slot<Resource>): boolean {
    const place = this.#idle.indexOf(slot);
    if (place >= 0) this.#idle.splice(place, 1);
    return place >= 0;
  }
}

function orNever(ms: number): number {
  return ms > 0 ? ms : Infinity;
}
