/** A timer that was set; `cancel` is harmless after it fired. */
export interface Timer {
  cancel(): void;
  /** Whether the process may end before it fires. */
  keepAlive(alive: boolean): void;
}

export interface TimerOptions {
  /** True where a caller was promised an answer by then: the process must not end before it. @default false */
  readonly keepAlive?: boolean;
}

/** Time, passed in so that tests can hold it still. */
export interface Clock {
  /** Milliseconds that only go forward (never the wall clock, which can jump). */
  now(): number;
  /** Calls `callback` once after `delayMs`. */
  after(delayMs: number, callback: () => void, options?: TimerOptions): Timer;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback, { keepAlive = false } = {}) {
    const timeout = setTimeout(callback, delayMs);
    if (!keepAlive) timeout.unref();
    return {
      cancel: () => clearTimeout(timeout),
      keepAlive: (alive) => void (alive ? timeout.ref() : timeout.unref()),
    };
  },
};
