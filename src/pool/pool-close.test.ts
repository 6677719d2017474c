import { describe, expect, it } from 'vitest';
import { numberPool, stateOf } from '../../test/fixtures/number-pool.ts';

const closed = { code: 'ERR_MILLPOND_CLOSED', message: 'Pool "main" is closed.' };

describe('Pool: close (B14, C56)', () => {
  it('destroys what is idle and leaves no timer', async () => {
    const { pool, take, destroyed, clock } = numberPool();
    for (const lease of await take(2)) lease.release();
    await pool.close();
    expect(destroyed.map(({ reason }) => reason)).toEqual(['closed', 'closed']);
    expect(clock.pending).toBe(0);
  });

  it('refuses new callers, and those in line', async () => {
    const { pool, take } = numberPool({ max: 1 });
    await take(1);
    const waiting = pool.acquire();
    void pool.close();
    await expect(waiting).rejects.toMatchObject(closed);
    await expect(pool.acquire()).rejects.toMatchObject(closed);
    await expect(pool.start()).rejects.toMatchObject(closed);
    expect(pool.tryAcquire()).toBeUndefined();
  });

  it('waits for leases to come back, and destroys them then', async () => {
    const { pool, destroyed } = numberPool();
    const lease = await pool.acquire();
    const closing = pool.close();
    expect(await stateOf(closing)).toBe('pending');
    expect(lease.isCurrent).toBe(true);
    lease.release();
    await closing;
    expect(destroyed).toEqual([{ resource: 1, reason: 'closed' }]);
  });

  it('destroys what is left after the timeout under its holder', async () => {
    const { pool, clock, destroyed } = numberPool();
    const lease = await pool.acquire();
    const closing = pool.close({ timeoutMs: 3_000 });
    await clock.advanceAsync(2_999);
    expect(await stateOf(closing)).toBe('pending');
    expect(clock.keepingAlive).toBe(1);
    await clock.advanceAsync(1);
    await closing;
    expect(destroyed).toEqual([{ resource: 1, reason: 'closed under its holder' }]);
    expect(lease.isCurrent).toBe(false);
    lease.release();
    expect(destroyed).toHaveLength(1);
    expect(pool.stats()).toMatchObject({ size: 0, leased: 0 });
  });

  it('is one close however often it is called; a later call can only shorten it', async () => {
    const { pool, clock } = numberPool();
    await pool.acquire();
    const first = pool.close({ timeoutMs: 10_000 });
    expect(pool.close({ timeoutMs: 20_000 })).toBe(first);
    void pool.close({ timeoutMs: 1_000 });
    await clock.advanceAsync(1_000);
    expect(await stateOf(first)).toBe('resolved');
    await pool.close();
  });

  it('settles although a connection cannot be destroyed, and says so', async () => {
    const destroy = () => Promise.reject(new Error('stuck'));
    const { pool, events } = numberPool({}, { destroy });
    (await pool.acquire()).release();
    await pool.close();
    expect(events.of('connection:error')[0]?.error.message).toBe('stuck');
    expect(events.of('connection:close')).toHaveLength(1);
  });

  it('settles although a connection does not end, after destroyTimeoutMs', async () => {
    const destroy = () => new Promise<void>(() => {});
    const { pool, clock, events } = numberPool({ destroyTimeoutMs: 2_000 }, { destroy });
    (await pool.acquire()).release();
    const closing = pool.close();
    await clock.advanceAsync(1_999);
    expect(await stateOf(closing)).toBe('pending');
    expect(clock.keepingAlive).toBe(1);
    await clock.advanceAsync(1);
    await closing;
    expect(events.of('connection:error')[0]?.error.message).toBe(
      'A connection of pool "main" was not closed within 2000 ms.',
    );
  });

  it('reports what is thrown though it is not an error', async () => {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- a driver may
    const { pool, events } = numberPool({}, { destroy: () => Promise.reject('just text') });
    (await pool.acquire()).release();
    await pool.close();
    expect(events.of('connection:error')[0]?.error.cause).toBe('just text');
  });

  it('aborts openings under way and destroys what they still bring', async () => {
    const slow = Promise.withResolvers<number>();
    let signal: AbortSignal | undefined;
    const create = (given: AbortSignal) => {
      signal = given;
      return slow.promise;
    };
    const { pool, clock, destroyed, events } = numberPool({}, { create });
    const waiting = pool.acquire();
    const closing = pool.close();
    await expect(waiting).rejects.toMatchObject(closed);
    expect(signal?.reason).toMatchObject(closed);
    slow.resolve(0);
    await clock.advanceAsync(0);
    await closing;
    expect(destroyed).toEqual([{ resource: 1, reason: 'late' }]);
    expect(events.of('connection:error')).toEqual([]);
  });

  it('can be called while an opening begins', async () => {
    let closing: Promise<void> | undefined;
    const create = () => {
      closing = made.pool.close();
      return new Promise<never>(() => {});
    };
    const made = numberPool({}, { create });
    await expect(made.pool.acquire()).rejects.toMatchObject(closed);
    await made.clock.advanceAsync(2_000);
    expect(await stateOf(closing!)).toBe('resolved');
  });

  it('rejects a start that is under way', async () => {
    const { pool } = numberPool({ min: 1 }, { create: () => new Promise<never>(() => {}) });
    const starting = pool.start();
    void pool.close();
    await expect(starting).rejects.toMatchObject(closed);
  });

  it('does not wait for a check that gets no answer', async () => {
    const { pool, clock, destroyed, events } = numberPool({}, { reset: () => new Promise<never>(() => {}) });
    (await pool.acquire()).release();
    const closing = pool.close({ timeoutMs: 100 });
    await clock.advanceAsync(100);
    await closing;
    expect(clock.pending).toBe(0);
    expect(destroyed).toEqual([{ resource: 1, reason: 'closed under its holder' }]);
    expect(events.of('connection:error')).toEqual([]);
  });

  it('retires what passes its check while the pool closes', async () => {
    const answer = Promise.withResolvers<boolean>();
    const { pool, destroyed } = numberPool({}, { reset: () => answer.promise });
    (await pool.acquire()).release();
    const closing = pool.close();
    answer.resolve(true);
    await closing;
    expect(destroyed).toEqual([{ resource: 1, reason: 'closed' }]);
  });

  it('closes a suspended pool, and one that was never used', async () => {
    const { pool } = numberPool();
    pool.suspend();
    await pool.close();
    pool.resume();
    await expect(pool.acquire()).rejects.toMatchObject(closed);
  });

  it('takes any timeout, however long', async () => {
    const { pool } = numberPool();
    const lease = await pool.acquire();
    const closing = pool.close({ timeoutMs: Infinity });
    expect(await stateOf(closing)).toBe('pending');
    lease.release();
    await closing;
  });
});
