/** A timer that was set; `cancel` is harmless after it fired. */
export interface Timer {
  cancel(): void;
  /** Whether the process may end before it fires. */
  keepAlive(alive: boolean): void;
}

export interface TimerOptions {
  /** True where a caller was promised an answer by then: the process must not end before. @default false */
  readonly keepAlive?: boolean;
}

/** Time, passed in so that tests can hold it still. */
export interface Clock {
  /** Milliseconds that only go forward (never the wall clock, which can jump). */
  now(): number;
  /** Calls `callback` once after `delayMs`. */
  after(delayMs: number, callback: () => void, options?: TimerOptions): Timer;
}

/**
 * What arrived while the event loop stood still is handled before a timer that came due in that time: in a
 * turn of the loop timers come first, and would find every limit passed though the answers are there.
 * https://nodejs.org/en/learn/asynchronous-work/event-loop-timers-and-nexttick
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback, { keepAlive = false } = {}) {
    let hearing: NodeJS.Immediate | undefined;
    const timeout = setTimeout(() => (hearing = setImmediate(callback)), delayMs);
    if (!keepAlive) timeout.unref();
    return {
      cancel: () => {
        clearTimeout(timeout);
        clearImmediate(hearing);
      },
      keepAlive: (alive) => void (alive ? timeout.ref() : timeout.unref()),
    };
  },
};
