import type { Clock } from '../async/index.ts';
import { TimeoutError } from '../errors/index.ts';

/**
 * The result of `work`, if it comes within `timeoutMs` (0 = no limit); `work` gets a signal that is aborted
 * when the time is up. @throws TimeoutError then: the work may go on, but nobody waits for it
 */
export async function withinLimit<T>(
  clock: Clock,
  { timeoutMs, name }: { readonly timeoutMs: number; readonly name: string | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abortion = new AbortController();
  if (timeoutMs === 0) return work(abortion.signal);
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const giveUp = (): void => {
    const what = name === undefined ? 'a value for the cache' : `"${name}" for the cache`;
    const error = new TimeoutError(`Loading ${what} took longer than ${timeoutMs} ms.`, { timeoutMs });
    abortion.abort(error);
    reject(error);
  };
  const timer = clock.after(timeoutMs, giveUp, { keepAlive: true });
  try {
    work(abortion.signal).then(resolve, reject);
    return await promise;
  } finally {
    timer.cancel();
  }
}

/** The result of `work`, or undefined where it takes longer than `waitMs`. @throws what it rejects with */
export async function waitFor<T>(clock: Clock, waitMs: number, work: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = clock.after(waitMs, () => resolve(undefined), { keepAlive: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    timer.cancel();
  }
}
