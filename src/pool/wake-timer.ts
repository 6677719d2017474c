import { runInRootContext, type Clock, type Timer } from '../async/index.ts';

/** setTimeout fires at once above this: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_DELAY_MS = 2_147_483_647;

/**
 * One timer for many deadlines. Asking to be woken costs a comparison when an earlier wake-up is already set,
 * and nothing is cancelled when a deadline goes away: waking up too early is harmless, and rare.
 */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #onWake: (nowMs: number) => number;
  #timer: Timer | undefined;
  #dueMs = Infinity;
  #keepsAlive = false;
  #stopped = false;

  /** `onWake` does what is due and returns when it wants to be woken next (Infinity: not at all). */
  constructor(clock: Clock, onWake: (nowMs: number) => number) {
    this.#clock = clock;
    this.#onWake = onWake;
  }

  /** Wakes up at `dueMs` or before. */
  wakeAt(dueMs: number): void {
    if (dueMs < this.#dueMs && !this.#stopped) this.#arm(dueMs);
  }

  /** Whether the process may end before the next wake-up; also for those to come. */
  keepAlive(alive: boolean): void {
    if (alive === this.#keepsAlive) return;
    this.#keepsAlive = alive;
    this.#timer?.keepAlive(alive);
  }

  /** For good. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #arm(dueMs: number): void {
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    // Rounded up, because a timer that fires a fraction early would find nothing due and be set again.
    const delayMs = Math.min(Math.max(Math.ceil(dueMs - this.#clock.now()), 0), LONGEST_DELAY_MS);
    // Not in the context of the request that happened to ask first.
    const options = { keepAlive: this.#keepsAlive };
    this.#timer = runInRootContext(() => this.#clock.after(delayMs, () => this.#fire(), options));
  }

  #fire(): void {
    this.#timer = undefined;
    this.#dueMs = Infinity;
    this.wakeAt(this.#onWake(this.#clock.now()));
  }
}
