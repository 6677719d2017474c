import type { Clock, Timer, TimerOptions } from './clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly callback: () => void;
  keepsAlive: boolean;
}

/** A clock that stands still until it is told to advance. For tests. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #pending = new Set<Pending>();

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  /** Timers that are set and have not fired. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Of those, the ones without which a process could end. */
  get keepingAlive(): number {
    return [...this.#pending].filter(({ keepsAlive }) => keepsAlive).length;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void, { keepAlive = false }: TimerOptions = {}): Timer {
    const dueMs = this.#nowMs + Math.max(0, delayMs);
    const pending: Pending = { dueMs, callback, keepsAlive: keepAlive };
    this.#pending.add(pending);
    return {
      cancel: () => void this.#pending.delete(pending),
      keepAlive: (alive) => void (pending.keepsAlive = alive),
    };
  }

  /**
   * Goes `ms` forward and fires what falls due, in order, each at its own time; timers set meanwhile as well.
   */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    while (this.#fireNext(endMs));
    this.#nowMs = endMs;
  }

  /** As `advance`, and lets promises settle before the first timer and after each. */
  async advanceAsync(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    do await promisesSettled();
    while (this.#fireNext(endMs));
    this.#nowMs = endMs;
  }

  #fireNext(endMs: number): boolean {
    let next: Pending | undefined;
    // The set keeps the order of setting, so of two timers due together the older one wins, as in Node.
    for (const pending of this.#pending) if (next === undefined || pending.dueMs < next.dueMs) next = pending;
    if (next === undefined || next.dueMs > endMs) return false;
    this.#pending.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.callback();
    return true;
  }
}

/** The turn after this one comes only when no promise reaction is left to run. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
