/** A timer that was set; `cancel` is harmless after it fired. */
export interface Timer {
  cancel(): void;
}

/** Time, passed in so that tests can hold it still. */
export interface Clock {
  /** Milliseconds that only go forward (never the wall clock, which can jump). */
  now(): number;
  /** Calls `callback` once after `delayMs`. Does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timeout = setTimeout(callback, delayMs);
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
