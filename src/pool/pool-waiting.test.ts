import { describe, expect, it } from 'vitest';
import { numberPool, stateOf } from '../../test/fixtures/number-pool.ts';

const exhausted = { code: 'ERR_MILLPOND_POOL_EXHAUSTED', retryable: true };
const never = () => new Promise<never>(() => {});

describe('Pool: the waiting line', () => {
  it('hands a freed connection to the longest waiter (J10)', async () => {
    const { pool } = numberPool({ max: 1 });
    const lease = await pool.acquire();
    const order: string[] = [];
    const waiters = ['a', 'b', 'c'].map(async (name) => {
      await using held = await pool.acquire();
      order.push(`${name}${held.resource}`);
    });
    lease.release();
    await Promise.all(waiters);
    expect(order).toEqual(['a1', 'b1', 'c1']);
  });

  it('keeps the process alive while somebody waits, and no longer', async () => {
    const { pool, clock } = numberPool({ max: 1, acquireTimeoutMs: 100 });
    const lease = await pool.acquire();
    expect(clock.keepingAlive).toBe(0);
    const controller = new AbortController();
    const aborted = pool.acquire({ signal: controller.signal });
    expect(clock.keepingAlive).toBe(1);
    controller.abort(new Error('gone'));
    await expect(aborted).rejects.toThrow('gone');
    expect(clock.keepingAlive).toBe(0);
    const late = pool.acquire();
    expect(clock.keepingAlive).toBe(1);
    clock.advance(100);
    await expect(late).rejects.toMatchObject(exhausted);
    const served = pool.acquire();
    lease.release();
    (await served).release();
    expect(clock.keepingAlive).toBe(0);
  });

  it('lets nobody overtake those in line', async () => {
    const { pool } = numberPool({ max: 1 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    lease.release();
    expect(pool.tryAcquire()).toBeUndefined();
    const late = pool.acquire();
    expect((await waiting).resource).toBe(1);
    expect(await stateOf(late)).toBe('pending');
  });

  it('gives a waiter whatever comes first, not the connection opened because of it', async () => {
    const gate = Promise.withResolvers<number>();
    let attempts = 0;
    const create = () => ((attempts += 1) === 1 ? Promise.resolve(0) : gate.promise);
    const { pool, clock } = numberPool({ max: 2 }, { create });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    lease.release();
    expect((await waiting).resource).toBe(1);
    gate.resolve(0);
    await clock.advanceAsync(0);
    expect(pool.stats()).toMatchObject({ size: 2, leased: 1, idle: 1 });
  });

  it('does not call itself exhausted while it opens here what a waiter gets (J10)', async () => {
    const gate = Promise.withResolvers<number>();
    const factory = { create: () => gate.promise, opensHere: true };
    const { pool, clock } = numberPool({ max: 1, acquireTimeoutMs: 50, createTimeoutMs: 5_000 }, factory);
    const first = pool.acquire();
    const second = pool.acquire();
    clock.advance(50);
    await expect(second).rejects.toMatchObject(exhausted);
    clock.advance(2_000);
    gate.resolve(0);
    expect((await first).resource).toBe(1);
  });

  it('waits no longer than the caller says, and not for what cannot be opened', async () => {
    const gate = Promise.withResolvers<number>();
    const factory = { create: () => gate.promise, opensHere: true };
    const { pool, clock } = numberPool({ max: 2, acquireTimeoutMs: 50, createTimeoutMs: 5_000 }, factory);
    const named = pool.acquire({ timeoutMs: 20 });
    const hasty = numberPool({ acquireTimeoutMs: 0 }, factory).pool.acquire();
    clock.advance(20);
    await expect(named).rejects.toThrow(/has 0 leased, 0 idle, 1 waiting, 1 being opened\./);
    await expect(hasty).rejects.toMatchObject(exhausted);
    const asked = pool.acquire();
    gate.reject(new Error('no thread to be had'));
    await expect(asked).rejects.toMatchObject({ code: 'ERR_MILLPOND_CONNECTION' });
  });

  it('says after the timeout what is held, by whom and for how long (J10)', async () => {
    const { pool, clock, take, events } = numberPool({ max: 2, acquireTimeoutMs: 5_000 });
    await pool.acquire({ holder: 'nightly report' });
    clock.advance(7_000);
    await take(1);
    const waiting = pool.acquire();
    clock.advance(5_000);
    await expect(waiting).rejects.toMatchObject({
      ...exhausted,
      message:
        'No connection came free within 5000 ms: pool "main" has 2 leased, 0 idle, 1 waiting; ' +
        'the longest lease is 12 s old, taken by nightly report.',
    });
    expect(pool.stats()).toMatchObject({ waiting: 0, timeouts: 1 });
    expect(events.of('pool:exhausted')).toHaveLength(1);
  });

  it('names the holder and its place, where the holder knows it', async () => {
    const { pool, clock } = numberPool({ max: 1, acquireTimeoutMs: 5_000 });
    const site = { stack: 'Error\n    at checkOut (/app/src/orders.ts:12:9)' };
    await pool.acquire({ holder: 'transaction "checkOut"', site });
    const waiting = pool.acquire();
    clock.advance(5_000);
    await expect(waiting).rejects.toThrow(
      'the longest lease is 5 s old, taken by transaction "checkOut" at checkOut (/app/src/orders.ts:12:9).',
    );
  });

  it('names the place where an unnamed holder took its lease', async () => {
    const { pool, clock } = numberPool({ max: 1 });
    await pool.acquire();
    const waiting = pool.acquire({ timeoutMs: 300 });
    clock.advance(300);
    // This file counts as millpond's own, so a frame behind it is named; see pool-figures.test.ts.
    await expect(waiting).rejects.toThrow(/300 ms old, taken at \S.*:\d+:\d+\.$/);
  });

  it('waits as long as each caller says, whatever the order of the deadlines', async () => {
    const { pool, clock } = numberPool({ max: 1 });
    await pool.acquire();
    const [long, short, middle] = [900, 100, 500].map((timeoutMs) => pool.acquire({ timeoutMs }));
    clock.advance(100);
    await expect(short).rejects.toMatchObject(exhausted);
    clock.advance(399);
    expect(await stateOf(middle!)).toBe('pending');
    clock.advance(1);
    await expect(middle).rejects.toMatchObject(exhausted);
    clock.advance(400);
    await expect(long).rejects.toMatchObject(exhausted);
  });

  it('counts the opening of a connection as waiting', async () => {
    const { pool, clock } = numberPool({ acquireTimeoutMs: 1_000 }, { create: never });
    const waiting = pool.acquire();
    clock.advance(1_000);
    await expect(waiting).rejects.toThrow('pool "main" has 0 leased, 0 idle, 1 waiting, 1 being opened.');
  });

  it('does not wait at all with a timeout of 0, but opens one for the next caller', async () => {
    const { pool, clock } = numberPool({ acquireTimeoutMs: 0, max: 1 });
    await expect(pool.acquire()).rejects.toThrow('No connection is free: pool "main" has 0 leased');
    await clock.advanceAsync(0);
    const lease = await pool.acquire();
    await expect(pool.acquire()).rejects.toMatchObject(exhausted);
    lease.release();
    expect((await pool.acquire({ timeoutMs: -5 })).resource).toBe(1);
  });

  it('refuses a wait without an end', async () => {
    const { pool } = numberPool({ max: 1 });
    await pool.acquire();
    await expect(pool.acquire({ timeoutMs: Infinity })).rejects.toMatchObject({ code: 'ERR_MILLPOND_USAGE' });
    await expect(pool.acquire({ timeoutMs: Number.NaN })).rejects.toMatchObject({
      code: 'ERR_MILLPOND_USAGE',
    });
  });

  it('refuses new callers at once when the line is full (B10)', async () => {
    const { pool, events } = numberPool({ max: 2, maxWaiting: 1 });
    await pool.acquire();
    await pool.acquire();
    const waiting = pool.acquire();
    await expect(pool.acquire()).rejects.toMatchObject({
      ...exhausted,
      message: expect.stringContaining('No connection is free and the waiting line is full'),
    });
    expect(events.of('pool:exhausted')).toHaveLength(1);
    expect(await stateOf(waiting)).toBe('pending');
  });

  it('lets callers wait for a connection yet to be opened even when nobody may wait in line', async () => {
    const { pool } = numberPool({ max: 2, maxWaiting: 0 });
    const both = [pool.acquire(), pool.acquire()];
    await expect(pool.acquire()).rejects.toMatchObject(exhausted);
    expect((await Promise.all(both)).map(({ resource }) => resource)).toEqual([1, 2]);
  });

  it('announces a slow acquire', async () => {
    const { pool, clock, events } = numberPool({ max: 1, warnAcquireMs: 2_000 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    clock.advance(2_001);
    lease.release();
    await waiting;
    expect(events.of('pool:slow-acquire')).toEqual([{ pool: 'main', waitedMs: 2_001 }]);
  });

  it('announces no slow acquire when that is off', async () => {
    const { pool, clock, events } = numberPool({ max: 1, warnAcquireMs: 0 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    clock.advance(4_000);
    lease.release();
    await waiting;
    expect(events.of('pool:slow-acquire')).toEqual([]);
  });

  it('ends N holders that each need a second connection by their timeout, and goes on (C33)', async () => {
    const { pool, clock } = numberPool({ max: 4, acquireTimeoutMs: 1_000 });
    const greedy = Array.from({ length: 4 }, async () => {
      await using _first = await pool.acquire();
      await using _second = await pool.acquire();
    });
    const outcomes = Promise.allSettled(greedy);
    await clock.advanceAsync(1_000);
    for (const outcome of await outcomes) expect(outcome.status).toBe('rejected');
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 4, waiting: 0 });
    expect((await pool.acquire()).isCurrent).toBe(true);
  });
});

describe('Pool: aborting a wait', () => {
  it('rejects with the reason of the signal and leaves the line', async () => {
    const { pool } = numberPool({ max: 1 });
    const lease = await pool.acquire();
    const controller = new AbortController();
    const aborted = pool.acquire({ signal: controller.signal });
    const next = pool.acquire();
    controller.abort(new Error('the client has gone'));
    await expect(aborted).rejects.toThrow('the client has gone');
    lease.release();
    expect((await next).resource).toBe(1);
  });

  it('does not begin with a signal that has aborted', async () => {
    const { pool, opened } = numberPool();
    await expect(pool.acquire({ signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow(
      'too late',
    );
    expect(opened).toEqual([]);
  });

  it('does not take back a lease that was given in the same step', async () => {
    const { pool } = numberPool({ max: 1 });
    const lease = await pool.acquire();
    const controller = new AbortController();
    const waiting = pool.acquire({ signal: controller.signal });
    lease.release();
    controller.abort();
    const given = await waiting;
    expect(given.isCurrent).toBe(true);
    given.release();
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
  });
});

describe('Pool: a timeout in the same step as a hand-over', () => {
  it('keeps the lease with the waiter when the connection comes first', async () => {
    const { pool, clock } = numberPool({ max: 1 });
    const lease = await pool.acquire();
    clock.after(100, () => lease.release());
    const waiting = pool.acquire({ timeoutMs: 100 });
    clock.advance(100);
    expect((await waiting).isCurrent).toBe(true);
    expect(pool.stats()).toMatchObject({ leased: 1, timeouts: 0 });
  });

  it('keeps the connection in the pool when the timeout comes first', async () => {
    const { pool, clock } = numberPool({ max: 1 });
    const lease = await pool.acquire();
    const waiting = pool.acquire({ timeoutMs: 100 });
    clock.after(100, () => lease.release());
    clock.advance(100);
    await expect(waiting).rejects.toMatchObject(exhausted);
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1, timeouts: 1 });
    expect(pool.tryAcquire()?.resource).toBe(1);
  });

  it('gives the connection to the next in line when a listener releases one during a timeout', async () => {
    const { pool, clock, events } = numberPool({ max: 1 });
    const lease = await pool.acquire();
    const late = pool.acquire({ timeoutMs: 100 });
    const next = pool.acquire({ timeoutMs: 100 });
    events.listener = (name) => name === 'pool:exhausted' && lease.release();
    clock.advance(100);
    await expect(late).rejects.toMatchObject(exhausted);
    expect((await next).isCurrent).toBe(true);
    expect(pool.stats()).toMatchObject({ leased: 1, waiting: 0, timeouts: 1 });
  });
});
