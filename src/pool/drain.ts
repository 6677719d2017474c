import type { Clock, Timer } from '../async/index.ts';

/** setTimeout fires at once above this: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_MS = 2_147_483_647;

/**
 * The wait for the last lease to come back: over when `finish` is called, or at the earliest limit that was
 * set.
 */
export class Drain {
  readonly #clock: Clock;
  readonly #end: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #timer: Timer | undefined;
  #deadlineMs = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get over(): Promise<void> {
    return this.#end.promise;
  }

  /** Ends the wait `timeoutMs` from now, unless it ends before. */
  limit(timeoutMs: number): void {
    const deadlineMs = this.#clock.now() + timeoutMs;
    if (deadlineMs >= this.#deadlineMs) return;
    this.#deadlineMs = deadlineMs;
    this.#timer?.cancel();
    const limitMs = Math.min(timeoutMs, LONGEST_MS);
    this.#timer = this.#clock.after(limitMs, () => this.finish(), { keepAlive: true });
  }

  finish(): void {
    // No limit set from now on may start a timer.
    this.#deadlineMs = -Infinity;
    this.#timer?.cancel();
    this.#end.resolve();
  }
}
