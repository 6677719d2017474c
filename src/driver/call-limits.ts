import { NEVER_SENT, timeoutError, type TimedCall } from './call-ending.ts';
import type { LeaseLike, LeaseSource } from './connection.ts';

/** What may end a call early. */
export interface CallLimits extends TimedCall {
  readonly signal: AbortSignal | undefined;
  /** `performance.now()` when the caller asked; waiting for a connection counts. */
  readonly startedAt: number;
}

/**
 * Calls `giveUp` with the error when the time of a waiting call is over, or its signal aborts.
 * @returns lifts the limits; to be called when the call's turn has come
 */
export function limitWaiting(limits: CallLimits, giveUp: (error: unknown) => void): () => void {
  const { signal, timeoutMs, startedAt } = limits;
  const onAbort = () => giveUp(signal?.reason);
  const onTimeout = () => giveUp(timeoutError(limits, NEVER_SENT));
  const leftMs = Math.max(0, timeoutMs - (performance.now() - startedAt));
  // This timer keeps the process alive: while an idle holder has the connection, nothing else would.
  const timer = timeoutMs === 0 ? undefined : setTimeout(onTimeout, leftMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  };
}

/** A lease for one call, within the limits of that call. */
export async function acquireWithin<Resource>(
  source: LeaseSource<Resource>,
  limits: CallLimits,
  holder: string,
): Promise<LeaseLike<Resource>> {
  const waiting = new AbortController();
  const lift = limitWaiting(limits, (error) => waiting.abort(error));
  try {
    return await source.acquire({ holder, signal: waiting.signal });
  } finally {
    lift();
  }
}
