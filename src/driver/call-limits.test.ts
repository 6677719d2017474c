import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { acquireWithin, type CallLimits } from './call-limits.ts';
import type { AcquireRequest } from './connection.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function callWith(limits: Partial<CallLimits>): CallLimits {
  const none = { name: undefined, timeoutMs: 0, signal: undefined, mayWrite: true };
  return { ...none, startedAt: performance.now(), ...limits };
}

describe('a lease within the limits of a call', () => {
  test('is waited for no longer than the call', async () => {
    const source = {
      acquire: ({ signal }: { signal?: AbortSignal | undefined } = {}) =>
        new Promise<never>((_, reject) =>
          signal!.addEventListener('abort', () => reject(signal!.reason as Error)),
        ),
    };
    const waiting = acquireWithin(source, callWith({ timeoutMs: 50, mayWrite: false }), 'stream');
    const refused = waiting.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(51);
    expect(await refused).toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT', rollback: undefined });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is asked for by the name of its holder, and leaves no timer', async () => {
    const lease = { resource: 1, release: () => undefined };
    const acquire = vi.fn<(request?: AcquireRequest) => Promise<typeof lease>>(() => Promise.resolve(lease));
    expect(await acquireWithin({ acquire }, callWith({ timeoutMs: 50 }), 'export')).toBe(lease);
    expect(acquire).toHaveBeenCalledWith(expect.objectContaining({ holder: 'export' }));
    expect(vi.getTimerCount()).toBe(0);
  });
});
