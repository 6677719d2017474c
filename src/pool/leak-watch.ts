import type { AcquireRequest } from '../driver/index.ts';
import type { Announcer } from '../events/index.ts';
import { CaptureRation } from '../stack/index.ts';
import type { Lease, Slot } from './lease.ts';
import { captureTrace, type Below, type Trace } from './trace.ts';

interface LeakWatchParts {
  readonly name: string;
  readonly announce: Announcer;
  readonly leakAfterMs: number;
}

/** Half a per cent of the time of a pool that does nothing else. */
const CAPTURES_PER_MS = 1;
const NOT_CAPTURED = 'not captured, the pool was too busy; from now on every taker is';

/** Remembers who took a lease, and reports those who keep it longer than `leakAfterMs`. */
export class LeakWatch {
  readonly #parts: LeakWatchParts;
  readonly #ration = new CaptureRation(CAPTURES_PER_MS);

  constructor(parts: LeakWatchParts) {
    this.#parts = parts;
  }

  /** The stack of a taker: the one that it knows itself, or of one who gave no name, if leaks are watched. */
  trace({ holder, site }: AcquireRequest, nowMs: number, below: Below): Trace | undefined {
    if (site !== undefined) return site;
    if (holder || this.#parts.leakAfterMs === 0) return undefined;
    return this.#ration.take(nowMs) ? captureTrace(below) : undefined;
  }

  /** When a lease taken now is to be reported. */
  dueMs(takenAtMs: number): number {
    return this.#parts.leakAfterMs > 0 ? takenAtMs + this.#parts.leakAfterMs : Infinity;
  }

  /** Reports each lease that is out for too long, once. @returns when the next report is due. */
  report<Resource>(slots: Iterable<Slot<Resource>>, nowMs: number): number {
    let nextMs = Infinity;
    for (const slot of slots) {
      if (slot.lease === undefined || slot.leakReported) continue;
      const dueMs = this.dueMs(slot.lease.acquiredAtMs);
      if (dueMs > nowMs) nextMs = Math.min(nextMs, dueMs);
      else this.#report(slot, slot.lease, nowMs);
    }
    return nextMs;
  }

  /** The end of a lease that was reported. */
  reportReturn<Resource>(lease: Lease<Resource>, nowMs: number): void {
    this.#parts.announce.emit('pool:leak-returned', this.#event(lease, nowMs));
  }

  #report<Resource>(slot: Slot<Resource>, lease: Lease<Resource>, nowMs: number): void {
    slot.leakReported = true;
    if (lease.holder === '' && lease.takenAt === '') this.#ration.wantAll(nowMs);
    this.#parts.announce.emit('pool:leak', this.#event(lease, nowMs));
  }

  #event<Resource>({ holder, takenAt, acquiredAtMs }: Lease<Resource>, nowMs: number) {
    const place = takenAt === '' && holder === '' ? NOT_CAPTURED : takenAt;
    return { pool: this.#parts.name, heldMs: nowMs - acquiredAtMs, takenAt: place, holder };
  }
}
