import type { Clock } from '../async/index.ts';

interface Limit {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly late: () => Error;
  /** Ends the waiting with the signal's reason. */
  readonly signal: AbortSignal | undefined;
  /** True where somebody waits for this: the process must not end before it has settled. */
  readonly keepAlive: boolean;
}

/**
 * Settles as `work` does, or rejects after `limitMs` or when the signal aborts. The work itself goes on:
 * somebody else must take care of its end.
 */
export async function withinLimit<T>(work: Promise<T>, limit: Limit): Promise<T> {
  const { clock, limitMs, late, signal, keepAlive } = limit;
  const { promise: givenUp, reject: giveUp } = Promise.withResolvers<never>();
  const onAbort = () => giveUp(signal?.reason);
  const timer = clock.after(limitMs, () => giveUp(late()), { keepAlive });
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) onAbort();
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}
