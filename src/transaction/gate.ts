import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../async/index.ts';
import type { CallOptions } from '../driver/index.ts';
import { TimeoutError, TransactionError } from '../errors/index.ts';

interface Waiter {
  start(): void;
  refuse(error: unknown): void;
}

const MAX_WAITING = 10_000;

/**
 * The line in front of one level of a transaction. A savepoint is a stack, not a branch: while one is open, a
 * statement of the level above would become part of it. So such statements, and further savepoints, wait
 * their turn.
 */
export class Gate {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `start` when its turn comes; rejects when the limits of the call pass before. */
  wait<T>(limits: CallOptions, start: (waitedMs: number) => Promise<T>): Promise<T> {
    if (this.#waiting.size >= MAX_WAITING) return Promise.reject(new TransactionError(FULL));
    const { timeoutMs = 0, signal } = limits;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const sinceMs = this.#clock.now();
    const giveUp = (): void => waiter.refuse(tooLate(timeoutMs));
    const timer = timeoutMs > 0 ? this.#clock.after(timeoutMs, giveUp, { keepAlive: true }) : undefined;
    const onAbort = (): void => waiter.refuse(signal!.reason);
    const leave = (): void => {
      this.#waiting.delete(waiter);
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    const waiter: Waiter = {
      // Started by whoever ends the savepoint, but in the context of the waiting call.
      start: AsyncLocalStorage.bind(() => {
        leave();
        resolve(start(this.#clock.now() - sinceMs));
      }),
      refuse: (error) => {
        leave();
        reject(error);
      },
    };
    this.#waiting.add(waiter);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    return promise;
  }

  /** Lets the waiting calls go on, in order, until one of them closes the gate again. */
  pass(isFree: () => boolean): void {
    for (const waiter of this.#waiting) {
      if (!isFree()) return;
      waiter.start();
    }
  }

  /** The level has ended: none of them will ever have a turn. */
  refuseAll(toError: () => Error): void {
    for (const waiter of this.#waiting) waiter.refuse(toError());
  }
}

const FULL = `More than ${MAX_WAITING} calls wait for a nested transaction to end.`;

function tooLate(timeoutMs: number): TimeoutError {
  return new TimeoutError(
    `A nested transaction did not make way within ${timeoutMs} ms; the call was not sent.`,
    {
      timeoutMs,
    },
  );
}
