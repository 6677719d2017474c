import type { LeaseLike, LeaseSource } from '../driver/index.ts';
import type { PendingCall } from './pending-call.ts';
import { timeoutError } from './timeout-error.ts';

/** What ends a call that waits for its turn. */
export type WaitLimits = Pick<PendingCall, 'signal' | 'startedAt' | 'timeoutMs' | 'name' | 'mayWrite'>;

/**
 * Calls `giveUp` with the error when the time of a waiting call is over, or its signal aborts.
 * @returns lifts the limits; to be called when the call's turn has come
 */
export function limitWaiting(limits: WaitLimits, giveUp: (error: unknown) => void): () => void {
  const { signal, timeoutMs, startedAt } = limits;
  const onAbort = () => giveUp(signal?.reason);
  // Nothing of it was sent, so nothing is left to be undone.
  const onTimeout = () => giveUp(timeoutError(limits, { wasRunning: false, confirmed: true }));
  const leftMs = Math.max(0, timeoutMs - (performance.now() - startedAt));
  // Keeps the process alive: where the connection is held by somebody who does nothing with it, nothing else
  // does.
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
  limits: WaitLimits,
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
