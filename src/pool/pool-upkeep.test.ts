import { describe, expect, it } from 'vitest';
import { numberPool, stateOf } from '../../test/fixtures/number-pool.ts';

const off = { idleTimeoutMs: 0, maxLifetimeMs: 0, keepaliveMs: 0, leakAfterMs: 0 };

describe('Pool: ping before a lease', () => {
  it('pings only what was idle for longer than pingAfterIdleMs', async () => {
    const pinged: number[] = [];
    const ping = async (resource: number) => pinged.push(resource) > 0;
    const { pool, clock } = numberPool({ ...off, pingAfterIdleMs: 1_000 }, { ping });
    (await pool.acquire()).release();
    clock.advance(999);
    (await pool.acquire()).release();
    expect(pinged).toEqual([]);
    clock.advance(1_000);
    (await pool.acquire()).release();
    expect(pinged).toEqual([1]);
    expect(pool.tryAcquire()?.resource).toBe(1);
  });

  it('pings every idle one with 0, but not one that goes from hand to hand (M8)', async () => {
    const pinged: number[] = [];
    const ping = async (resource: number) => pinged.push(resource) > 0;
    const { pool } = numberPool({ ...off, max: 1, pingAfterIdleMs: 0 }, { ping });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    lease.release();
    (await waiting).release();
    expect(pinged).toEqual([]);
    (await pool.acquire()).release();
    expect(pinged).toEqual([1]);
  });

  it('replaces what does not answer, answers no or fails (S5)', async () => {
    const answers = [
      Promise.resolve(false),
      Promise.reject(new Error('gone')),
      new Promise<boolean>(() => {}),
    ];
    const ping = () => answers.shift() ?? Promise.resolve(true);
    const { pool, clock, take, destroyed, events } = numberPool(
      { ...off, max: 3, pingAfterIdleMs: 1_000, checkTimeoutMs: 500 },
      { ping },
    );
    for (const lease of await take(3)) lease.release();
    clock.advance(1_000);
    const waiting = pool.acquire();
    await clock.advanceAsync(500);
    expect((await waiting).resource).toBe(4);
    expect(destroyed.map(({ reason }) => reason)).toEqual(['ping failed', 'ping failed', 'ping failed']);
    expect(events.of('connection:error').map(({ error }) => error.message)).toEqual([
      'gone',
      'A ping in pool "main" was not answered within 500 ms.',
    ]);
  });

  it('keeps a connection whose waiter left during the ping', async () => {
    const answer = Promise.withResolvers<boolean>();
    const { pool, clock } = numberPool({ ...off, pingAfterIdleMs: 0 }, { ping: () => answer.promise });
    (await pool.acquire()).release();
    const waiting = pool.acquire({ timeoutMs: 100 });
    waiting.catch(() => {});
    clock.advance(100);
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_MILLPOND_POOL_EXHAUSTED' });
    expect(pool.stats()).toMatchObject({ size: 1, idle: 0, leased: 1 });
    answer.resolve(true);
    await clock.advanceAsync(0);
    expect(pool.stats()).toMatchObject({ size: 1, idle: 1, leased: 0 });
  });
});

describe('Pool: reset after a lease', () => {
  it('lends a connection again only when its reset is done', async () => {
    const reset = Promise.withResolvers<boolean>();
    const { pool } = numberPool({ ...off, max: 1 }, { reset: () => reset.promise });
    (await pool.acquire()).release();
    const waiting = pool.acquire();
    expect(await stateOf(waiting)).toBe('pending');
    expect(pool.stats()).toMatchObject({ size: 1, leased: 1, idle: 0 });
    reset.resolve(true);
    expect((await waiting).resource).toBe(1);
  });

  it('destroys a connection whose reset fails', async () => {
    const { pool, clock, destroyed } = numberPool({ ...off }, { reset: async () => false });
    (await pool.acquire()).release();
    await clock.advanceAsync(0);
    expect(destroyed).toEqual([{ resource: 1, reason: 'reset failed' }]);
  });

  it('does not reset what is discarded', async () => {
    const resets: number[] = [];
    const { pool } = numberPool({ ...off }, { reset: async (resource) => resets.push(resource) > 0 });
    (await pool.acquire()).release('discard');
    expect(resets).toEqual([]);
  });
});

describe('Pool: idle connections', () => {
  it('closes those idle for too long, down to min, the longest idle first', async () => {
    const { pool, clock, take, destroyed } = numberPool({ ...off, min: 1, idleTimeoutMs: 60_000 });
    const leases = await take(3);
    for (const lease of leases) {
      lease.release();
      clock.advance(1_000);
    }
    clock.advance(56_999);
    expect(destroyed).toEqual([]);
    clock.advance(1);
    expect(destroyed).toEqual([{ resource: 1, reason: 'idle' }]);
    clock.advance(1_000);
    expect(destroyed).toEqual([
      { resource: 1, reason: 'idle' },
      { resource: 2, reason: 'idle' },
    ]);
    clock.advance(600_000);
    expect(pool.stats()).toMatchObject({ size: 1, idle: 1 });
  });

  it('needs no timer while nothing can fall due', async () => {
    const { pool, clock } = numberPool({ ...off, min: 1, idleTimeoutMs: 60_000 });
    await pool.start();
    (await pool.acquire()).release();
    await clock.advanceAsync(0);
    expect(clock.pending).toBe(0);
  });

  it('replaces one that is lost while idle, and reports it; one in use when it comes back (S5)', async () => {
    const losses = new Map<number, (error: Error) => void>();
    const broken = new Set<number>();
    const { pool, clock, take, destroyed, events } = numberPool(
      { ...off, min: 2 },
      {
        isUsable: (resource) => !broken.has(resource),
        lost: (resource) => new Promise((resolve) => losses.set(resource, resolve)),
      },
    );
    const [first, second, third] = await take(3);
    for (const lease of [first!, second!]) lease.release();
    for (const resource of [1, 3]) {
      broken.add(resource);
      losses.get(resource)!(new Error(`${resource} is gone`));
    }
    await clock.advanceAsync(1);
    expect(destroyed).toEqual([{ resource: 1, reason: 'unusable' }]);
    expect(pool.stats()).toMatchObject({ size: 2, idle: 1, leased: 1 });
    third!.release();
    await clock.advanceAsync(1);
    expect(destroyed.at(-1)).toEqual({ resource: 3, reason: 'unusable' });
    expect(pool.stats()).toMatchObject({ size: 2, idle: 2 });
    expect(events.of('connection:error').map(({ error }) => error.message)).toEqual([
      '1 is gone',
      '3 is gone',
    ]);
    losses.get(3)!(new Error('again'));
    await clock.advanceAsync(1);
    expect(events.of('connection:error')).toHaveLength(2);
  });

  it('survives a hook for losses that throws, and hears of none once it is closed', async () => {
    let lose: ((error: Error) => void) | undefined;
    const { pool, clock, events } = numberPool(
      { ...off },
      {
        lost: (resource) => {
          if (resource === 1) throw new Error('no such hook');
          return new Promise((resolve) => (lose = resolve));
        },
      },
    );
    const leases = [await pool.acquire(), await pool.acquire()];
    await clock.advanceAsync(1);
    expect(events.of('connection:error').map(({ error }) => error.message)).toEqual(['no such hook']);
    for (const lease of leases) lease.release();
    await pool.close({ timeoutMs: 0 });
    lose!(new Error('closed'));
    await clock.advanceAsync(1);
    expect(events.of('connection:error')).toHaveLength(1);
  });

  it('notices a dead idle connection when it looks after the others', async () => {
    const broken = new Set<number>();
    const { pool, clock, take, destroyed } = numberPool(
      { ...off, min: 2, keepaliveMs: 60_000 },
      { isUsable: (resource) => !broken.has(resource), ping: async () => true },
    );
    for (const lease of await take(2)) lease.release();
    broken.add(1);
    await clock.advanceAsync(60_000);
    expect(destroyed).toEqual([{ resource: 1, reason: 'unusable' }]);
    expect(pool.stats()).toMatchObject({ size: 2, idle: 2 });
  });
});

describe('Pool: lifetime', () => {
  it('replaces an idle connection that is too old, and keeps min filled', async () => {
    const { pool, clock, destroyed } = numberPool({ ...off, min: 1, maxLifetimeMs: 100_000 });
    await pool.start();
    await clock.advanceAsync(94_999);
    expect(destroyed).toEqual([]);
    await clock.advanceAsync(1);
    expect(destroyed).toEqual([{ resource: 1, reason: 'lifetime' }]);
    expect(pool.stats()).toMatchObject({ size: 1, idle: 1 });
  });

  it('never retires a connection under its lease, but at its return (C47)', async () => {
    const { pool, clock, destroyed } = numberPool({ ...off, maxLifetimeMs: 1_000 });
    const lease = await pool.acquire();
    await clock.advanceAsync(10_000);
    expect(lease.isCurrent).toBe(true);
    expect(destroyed).toEqual([]);
    lease.release();
    expect(destroyed).toEqual([{ resource: 1, reason: 'lifetime' }]);
  });

  it('spreads the ends of connections that were opened together (C47)', async () => {
    const made = numberPool({ ...off, max: 10, maxLifetimeMs: 1_000_000 });
    const leases = [];
    for (let connection = 0; connection < 10; connection += 1) {
      made.chance = connection / 10;
      leases.push(await made.pool.acquire());
    }
    for (const lease of leases) lease.release();
    await made.clock.advanceAsync(905_000);
    const gone = [made.destroyed.length];
    for (let step = 0; step < 10; step += 1) {
      await made.clock.advanceAsync(10_000);
      gone.push(made.destroyed.length);
    }
    expect(gone).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('fails no caller because of eviction at one second under load (C47)', async () => {
    const options = { max: 5, min: 5, maxLifetimeMs: 1_000, idleTimeoutMs: 1_000, keepaliveMs: 300 };
    const { pool, clock } = numberPool(options, { ping: async () => true });
    let served = 0;
    const caller = async () => {
      for (let call = 0; call < 50; call += 1) {
        await using lease = await pool.acquire();
        const done = Promise.withResolvers<void>();
        clock.after(7 * lease.resource, () => done.resolve());
        await done.promise;
        served += 1;
      }
    };
    const callers = Promise.all(Array.from({ length: 10 }, caller));
    for (let step = 0; step < 1_000 && served < 500; step += 1) await clock.advanceAsync(100);
    await callers;
    expect(served).toBe(500);
    expect(pool.stats().retired).toBeGreaterThan(5);
    expect(pool.stats().timeouts).toBe(0);
  });
});

describe('Pool: keepalive', () => {
  it('pings idle connections, and only those', async () => {
    const pinged: number[] = [];
    const ping = async (resource: number) => pinged.push(resource) > 0;
    const { clock, take } = numberPool({ ...off, keepaliveMs: 10_000 }, { ping });
    const [a] = await take(2);
    a!.release();
    await clock.advanceAsync(9_999);
    expect(pinged).toEqual([]);
    await clock.advanceAsync(1);
    expect(pinged).toEqual([1]);
    await clock.advanceAsync(10_000);
    expect(pinged).toEqual([1, 1]);
  });

  it('changes neither the order of the idle ones nor how long they count as idle', async () => {
    const { pool, clock, take, destroyed } = numberPool(
      { ...off, keepaliveMs: 10_000, idleTimeoutMs: 15_000, pingAfterIdleMs: 60_000 },
      { ping: async () => true },
    );
    const [a, b] = await take(2);
    a!.release();
    clock.advance(1_000);
    b!.release();
    await clock.advanceAsync(9_000);
    expect(pool.tryAcquire()?.resource).toBe(2);
    await clock.advanceAsync(5_000);
    expect(destroyed).toEqual([{ resource: 1, reason: 'idle' }]);
  });

  it('gives a connection to a waiter when its ping is done', async () => {
    const answer = Promise.withResolvers<boolean>();
    const { pool, clock } = numberPool(
      { ...off, max: 1, keepaliveMs: 10_000 },
      { ping: () => answer.promise },
    );
    (await pool.acquire()).release();
    await clock.advanceAsync(10_000);
    const waiting = pool.acquire();
    expect(pool.stats()).toMatchObject({ waiting: 1, connecting: 0 });
    answer.resolve(true);
    expect((await waiting).resource).toBe(1);
  });

  it('is off without a ping in the factory', async () => {
    const { pool, clock } = numberPool({ ...off, min: 1, keepaliveMs: 10_000 });
    await pool.start();
    expect(clock.pending).toBe(0);
  });
});
