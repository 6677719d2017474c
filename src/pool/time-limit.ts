import type { Clock } from '../async/index.ts';

interface Limit {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly late: () => Error;
  /** Ends the waiting with the signal's reason. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Settles as `work` does, or rejects after `limitMs` or when the signal aborts. The work itself goes on:
 * somebody else must own its end.
 */
export async function withinLimit<T>(work: Promise<T>, { clock, limitMs, late, signal }: Limit): Promise<T> {
  const { promise: givenUp, reject: giveUp } = Promise.withResolvers<never>();
  const onAbort = () => giveUp(signal?.reason);
  const timer = clock.after(limitMs, () => giveUp(late()));
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) onAbort();
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}
