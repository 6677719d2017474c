import { describe, expect, it } from 'vitest';
import { numberPool, stateOf } from '../../test/fixtures/number-pool.ts';

describe('Pool: leases', () => {
  it('opens a connection for the first caller and lends it again (S1)', async () => {
    const { pool, opened } = numberPool();
    const first = await pool.acquire();
    expect(first.resource).toBe(1);
    first.release();
    const second = await pool.acquire();
    expect(second.resource).toBe(1);
    expect(opened).toEqual([1]);
  });

  it('lends different connections to callers that hold one at once, up to max (S1, T1)', async () => {
    const { pool, take } = numberPool({ max: 3 });
    const leases = await take(3);
    expect(leases.map(({ resource }) => resource)).toEqual([1, 2, 3]);
    expect(await stateOf(pool.acquire())).toBe('pending');
    expect(pool.stats()).toMatchObject({ size: 3, leased: 3, idle: 0, waiting: 1 });
  });

  it('gives a lease back at the end of its scope, in every outcome (S3, B11)', async () => {
    const { pool } = numberPool();
    const failing = async () => {
      await using lease = await pool.acquire();
      throw new Error(`with ${lease.resource}`);
    };
    await expect(failing()).rejects.toThrow('with 1');
    expect(pool.stats()).toMatchObject({ leased: 0, idle: 1 });
  });

  it('ignores a second release, even when another holds the connection by then', async () => {
    const { pool } = numberPool({ max: 1 });
    const first = await pool.acquire();
    first.release();
    const second = await pool.acquire();
    first.release('discard');
    first.release();
    expect(second.isCurrent).toBe(true);
    expect(pool.stats()).toMatchObject({ leased: 1, idle: 0, retired: 0 });
  });

  it('lends the connection that was used last', async () => {
    const { pool, take } = numberPool();
    const [a, b, c] = await take(3);
    b!.release();
    c!.release();
    a!.release();
    expect((await take(3)).map(({ resource }) => resource)).toEqual([1, 3, 2]);
    expect(pool.stats().created).toBe(3);
  });

  it('destroys a discarded connection and opens another (S5)', async () => {
    const { pool, destroyed } = numberPool({ min: 1, max: 1 });
    const lease = await pool.acquire();
    lease.release('discard');
    expect((await pool.acquire()).resource).toBe(2);
    expect(destroyed).toEqual([{ resource: 1, reason: 'discarded' }]);
  });

  it('destroys a connection that is not usable any more, at its return or before a lease (S5)', async () => {
    const broken = new Set<number>();
    const { pool, take, destroyed } = numberPool({}, { isUsable: (resource) => !broken.has(resource) });
    const [a, b, c] = await take(3);
    broken.add(1);
    a!.release();
    b!.release();
    c!.release();
    broken.add(3);
    expect((await pool.acquire()).resource).toBe(2);
    expect(destroyed.map(({ reason }) => reason)).toEqual(['unusable', 'unusable']);
  });

  it('takes a question about usability that throws as a no, and says so', async () => {
    let isCertain = true;
    const isUsable = () => {
      if (!isCertain) throw new Error('cannot tell');
      return true;
    };
    const { pool, events, destroyed } = numberPool({}, { isUsable });
    const lease = await pool.acquire();
    isCertain = false;
    lease.release();
    expect(destroyed).toEqual([{ resource: 1, reason: 'unusable' }]);
    expect(events.of('connection:error')[0]?.error.message).toBe('cannot tell');
  });

  it('says who holds a lease, since when and of which generation', async () => {
    const { pool, clock } = numberPool();
    const lease = await pool.acquire({ holder: 'nightly report' });
    expect(lease).toMatchObject({
      holder: 'nightly report',
      acquiredAtMs: 1_000,
      generation: 1,
      takenAt: '',
    });
    clock.advance(250);
    expect(pool.leases()).toEqual([{ holder: 'nightly report', heldMs: 250, takenAt: '', generation: 1 }]);
    lease.release();
    expect(pool.leases()).toEqual([]);
  });

  it('lists the leases that are out, the longest first', async () => {
    const { pool, clock } = numberPool();
    for (const holder of ['first', 'second', 'third']) {
      await pool.acquire({ holder });
      clock.advance(10);
    }
    expect(pool.leases().map(({ holder, heldMs }) => [holder, heldMs])).toEqual([
      ['first', 30],
      ['second', 20],
      ['third', 10],
    ]);
  });
});

describe('Pool: tryAcquire', () => {
  it('gives an idle connection at once, or nothing', async () => {
    const { pool } = numberPool({ max: 1 });
    expect(pool.tryAcquire()).toBeUndefined();
    (await pool.acquire()).release();
    const lease = pool.tryAcquire('cache');
    expect(lease).toMatchObject({ resource: 1, holder: 'cache' });
    expect(pool.tryAcquire()).toBeUndefined();
  });

  it('does not lend what needs a ping first', async () => {
    const { pool, clock } = numberPool({ pingAfterIdleMs: 1_000 }, { ping: async () => true });
    (await pool.acquire()).release();
    clock.advance(999);
    pool.tryAcquire()!.release();
    clock.advance(1_000);
    expect(pool.tryAcquire()).toBeUndefined();
    expect(pool.stats().idle).toBe(1);
  });

  it('has those replaced that it found broken', async () => {
    let usable = true;
    const { pool, clock, opened } = numberPool({ min: 1 }, { isUsable: () => usable });
    await pool.start();
    usable = false;
    expect(pool.tryAcquire()).toBeUndefined();
    usable = true;
    await clock.advanceAsync(0);
    expect(opened).toEqual([1, 2]);
  });
});

describe('Pool: suspend and resume', () => {
  it('lets callers wait while it is suspended, and serves them in order afterwards', async () => {
    const { pool } = numberPool({ max: 1 });
    (await pool.acquire()).release();
    pool.suspend();
    expect(pool.tryAcquire()).toBeUndefined();
    const first = pool.acquire();
    const second = pool.acquire();
    expect(await stateOf(first)).toBe('pending');
    pool.resume();
    (await first).release();
    expect((await second).resource).toBe(1);
  });

  it('takes back what is out while it is suspended, and lends it to nobody', async () => {
    const { pool } = numberPool({ max: 1 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    pool.suspend();
    lease.release();
    expect(pool.stats()).toMatchObject({ idle: 1, waiting: 1 });
    pool.resume();
    expect((await waiting).resource).toBe(1);
  });

  it('still ends a wait at its timeout', async () => {
    const { pool, clock } = numberPool();
    pool.suspend();
    const waiting = pool.acquire({ timeoutMs: 100 });
    clock.advance(100);
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_MILLPOND_POOL_EXHAUSTED' });
    pool.resume();
    pool.resume();
    expect((await pool.acquire()).resource).toBe(1);
  });
});

describe('Pool: generations', () => {
  it('destroys idle connections at once and leased ones when they come back', async () => {
    const { pool, take, destroyed } = numberPool();
    const [a, b] = await take(2);
    b!.release();
    pool.retireAll('failover');
    expect(destroyed).toEqual([{ resource: 2, reason: 'failover' }]);
    expect(a!.isCurrent).toBe(false);
    a!.release();
    expect(destroyed[1]).toEqual({ resource: 1, reason: 'failover' });
    const lease = await pool.acquire();
    expect(lease).toMatchObject({ resource: 3, generation: 2, isCurrent: true });
    expect(pool.generation).toBe(2);
  });

  it('does not lend a connection whose opening began before', async () => {
    const gate = Promise.withResolvers<never>();
    let attempts = 0;
    const create = () => ((attempts += 1) === 1 ? gate.promise : Promise.resolve(0));
    const { pool, destroyed } = numberPool({}, { create });
    const waiting = pool.acquire();
    pool.retireAll('failover');
    gate.resolve(undefined as never);
    expect((await waiting).resource).toBe(2);
    expect(destroyed).toEqual([{ resource: 1, reason: 'failover' }]);
  });

  it('keeps min filled with the new generation', async () => {
    const { pool, clock } = numberPool({ min: 2 });
    await pool.start();
    pool.retireAll('credentials changed');
    await clock.advanceAsync(0);
    expect(pool.stats()).toMatchObject({ size: 2, created: 4, retired: 2 });
  });
});

describe('Pool: stats (S4, M8)', () => {
  it('counts what is open, idle, leased, waiting and being opened', async () => {
    const gate = Promise.withResolvers<number>();
    const { pool } = numberPool({ max: 2 }, { create: () => gate.promise });
    const leases = [pool.acquire(), pool.acquire(), pool.acquire()];
    expect(pool.stats()).toMatchObject({ size: 0, connecting: 2, waiting: 3 });
    expect(pool.waiting).toBe(3);
    gate.resolve(0);
    const first = await leases[0]!;
    expect(pool.stats()).toMatchObject({ size: 2, leased: 2, idle: 0, connecting: 0, waiting: 1, max: 2 });
    first.release();
    (await leases[2]!).release();
    expect(pool.stats()).toMatchObject({ size: 2, leased: 1, idle: 1, waiting: 0, overflow: 0, created: 2 });
  });

  it('says how long callers waited', async () => {
    const { pool, clock } = numberPool({ max: 1 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    clock.advance(400);
    lease.release();
    await waiting;
    const { p50, p95, p99, max } = pool.stats().acquireMs;
    expect(p50).toBe(0);
    expect(p95).toBe(400);
    expect(p99).toBe(400);
    expect(max).toBe(400);
  });
});
