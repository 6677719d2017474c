import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { numberPool, stateOf } from '../../test/fixtures/number-pool.ts';
import { ConfigError } from '../errors/index.ts';

/** An opening that fails until `healthy` is set, and counts its attempts. */
function flaky() {
  const server = {
    healthy: false,
    attempts: 0,
    async create(): Promise<number> {
      server.attempts += 1;
      if (!server.healthy) throw new Error('connect ECONNREFUSED');
      return 0;
    },
  };
  return server;
}

const failure = {
  code: 'ERR_MILLPOND_CONNECTION',
  retryable: true,
  message: 'Pool "main" could not open a connection.',
};

describe('Pool: start', () => {
  it('opens min connections', async () => {
    const { pool, opened, events } = numberPool({ min: 3 });
    await pool.start();
    expect(opened).toEqual([1, 2, 3]);
    expect(pool.stats()).toMatchObject({ size: 3, idle: 3 });
    await pool.start();
    expect(pool.stats().created).toBe(3);
    expect(events.of('connection:open')[2]).toEqual({ connectionId: 3, role: 'main', openMs: 0 });
  });

  it('opens as many as it is told to, and keeps them whatever min is', async () => {
    const { pool, clock, opened } = numberPool({ min: 0, max: 2 });
    await pool.start(1);
    await clock.advanceAsync(1_000);
    expect(opened).toEqual([1]);
    expect(pool.stats()).toMatchObject({ size: 1, idle: 1 });
  });

  it('fails at once when a connection cannot be opened, and says why', async () => {
    const server = flaky();
    const { pool } = numberPool({ min: 2 }, { create: server.create });
    await expect(pool.start()).rejects.toMatchObject({
      ...failure,
      cause: { message: 'connect ECONNREFUSED' },
    });
  });

  it('passes on an error of ours as it is', async () => {
    const error = new ConfigError([{ key: 'url', message: 'no such file', source: 'options' }]);
    const { pool } = numberPool({ min: 1 }, { create: () => Promise.reject(error) });
    await expect(pool.start()).rejects.toBe(error);
  });

  it('survives a factory that throws instead of rejecting', async () => {
    const create = () => {
      throw new Error('not a promise');
    };
    const { pool } = numberPool({ min: 1 }, { create });
    await expect(pool.start()).rejects.toMatchObject(failure);
    expect(pool.stats()).toMatchObject({ size: 0, connecting: 0 });
  });
});

describe('Pool: opening', () => {
  it('opens, and announces it, outside the context of the request that asked', async () => {
    const request = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const create = async () => seen.push(request.getStore());
    const { pool, events } = numberPool({}, { create });
    events.listener = () => seen.push(request.getStore());
    const lease = await request.run('the first request', () => pool.acquire());
    expect(lease.resource).toBe(1);
    expect(seen).toEqual([undefined, undefined]);
  });

  it('opens one for each waiting caller, and no more than max and maxOverflow', async () => {
    const { pool, take } = numberPool({ max: 2, maxOverflow: 2 });
    await take(4);
    expect(await stateOf(pool.acquire())).toBe('pending');
    expect(pool.stats()).toMatchObject({ size: 4, overflow: 2, created: 4 });
  });

  it('destroys overflow connections at their return when nobody waits (M8)', async () => {
    const { pool, take, destroyed } = numberPool({ max: 1, maxOverflow: 1 });
    const [a, b] = await take(2);
    const waiting = pool.acquire();
    a!.release();
    const passedOn = await waiting;
    expect(passedOn.resource).toBe(1);
    b!.release();
    passedOn.release();
    expect(destroyed).toEqual([{ resource: 2, reason: 'overflow' }]);
    expect(pool.stats()).toMatchObject({ size: 1, idle: 1, overflow: 0 });
  });

  it('keeps min filled when a connection is lost', async () => {
    const { pool, clock } = numberPool({ min: 2 });
    await pool.start();
    (await pool.acquire()).release('discard');
    await clock.advanceAsync(0);
    expect(pool.stats()).toMatchObject({ size: 2, idle: 2, created: 3 });
  });

  it('frees the place of an opening that failed', async () => {
    const server = flaky();
    const { pool, clock } = numberPool({ max: 1 }, { create: server.create });
    for (let round = 0; round < 5; round += 1) {
      const waiting = pool.acquire();
      waiting.catch(() => {});
      await clock.advanceAsync(5_000);
      await expect(waiting).rejects.toMatchObject(failure);
      expect(pool.stats()).toMatchObject({ size: 0, connecting: 0, waiting: 0 });
    }
    server.healthy = true;
    const waiting = pool.acquire();
    await clock.advanceAsync(5_000);
    expect((await waiting).resource).toBe(1);
  });

  it('fails waiting callers at once when there is no connection at all', async () => {
    const server = flaky();
    const { pool, events } = numberPool({ max: 3 }, { create: server.create });
    const outcomes = await Promise.allSettled([
      pool.acquire(),
      pool.acquire(),
      pool.acquire(),
      pool.acquire(),
    ]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: failure });
    expect(events.of('connection:error')).toHaveLength(3);
    expect(events.of('connection:error')[0]).toMatchObject({ connectionId: 0, role: 'main' });
  });

  it('lets them go on waiting while another connection may come back', async () => {
    const server = flaky();
    server.healthy = true;
    const { pool, clock } = numberPool({ max: 2, acquireTimeoutMs: 60_000 }, { create: server.create });
    const lease = await pool.acquire();
    server.healthy = false;
    const waiting = pool.acquire();
    await clock.advanceAsync(10_000);
    expect(await stateOf(waiting)).toBe('pending');
    lease.release();
    expect((await waiting).resource).toBe(1);
  });

  it('names the failed attempts where a wait ends in the middle of an outage', async () => {
    const server = flaky();
    server.healthy = true;
    const { pool, clock } = numberPool({ max: 2 }, { create: server.create });
    await pool.acquire({ holder: 'report' });
    server.healthy = false;
    const waiting = pool.acquire({ timeoutMs: 5 });
    waiting.catch(() => {});
    await clock.advanceAsync(5);
    await expect(waiting).rejects.toThrow(
      'taken by report; the last attempt to open a connection failed (see cause).',
    );
    await expect(waiting).rejects.toMatchObject({ cause: failure });
  });

  it('pauses between failed attempts, longer each time, up to a limit, by chance (B12)', async () => {
    const server = flaky();
    const made = numberPool({ min: 1, max: 3 }, { create: server.create });
    made.chance = 1;
    await expect(made.pool.start()).rejects.toThrow(failure.message);
    const pauses: number[] = [];
    for (let attempt = server.attempts; pauses.length < 12; attempt = server.attempts) {
      const startedMs = made.clock.now();
      while (server.attempts === attempt) await made.clock.advanceAsync(10);
      pauses.push(made.clock.now() - startedMs);
    }
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_000, 5_000, 5_000]);
  });

  it('makes one attempt at a time while attempts fail, and opens the rest after a success', async () => {
    const server = flaky();
    const { pool, clock } = numberPool({ max: 3, acquireTimeoutMs: 60_000 }, { create: server.create });
    await expect(Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])).rejects.toThrow(
      failure.message,
    );
    expect(server.attempts).toBe(3);
    server.healthy = true;
    const waiting = Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    expect(server.attempts).toBe(3);
    await clock.advanceAsync(10);
    expect((await waiting).map(({ resource }) => resource)).toEqual([1, 2, 3]);
    expect(server.attempts).toBe(6);
  });

  it('does not start a second attempt while the one that probes has no answer', async () => {
    let attempts = 0;
    const create = () =>
      (attempts += 1) === 1 ? Promise.reject(new Error('down')) : new Promise<never>(() => {});
    const { pool, clock } = numberPool({ max: 3, createTimeoutMs: 60_000 }, { create });
    await expect(pool.acquire()).rejects.toThrow(failure.message);
    const waiting = [pool.acquire(), pool.acquire()];
    for (const wait of waiting) wait.catch(() => {});
    await clock.advanceAsync(1_000);
    waiting.push(pool.acquire());
    waiting[2]!.catch(() => {});
    expect(attempts).toBe(2);
    expect(pool.stats()).toMatchObject({ connecting: 1, waiting: 3 });
  });

  it('takes attempts that fail together for one failure', async () => {
    const server = flaky();
    const made = numberPool({ max: 10 }, { create: server.create });
    made.chance = 1;
    await expect(made.take(10)).rejects.toThrow(failure.message);
    server.healthy = true;
    const waiting = made.pool.acquire();
    await made.clock.advanceAsync(10);
    expect((await waiting).resource).toBe(1);
  });

  it('gives an attempt up after createTimeoutMs, and destroys what it still brings', async () => {
    const slow = Promise.withResolvers<number>();
    let signal: AbortSignal | undefined;
    const create = (given: AbortSignal) => {
      signal = given;
      return slow.promise;
    };
    const { pool, clock, destroyed } = numberPool({ createTimeoutMs: 3_000 }, { create });
    const waiting = pool.acquire();
    waiting.catch(() => {});
    await clock.advanceAsync(3_000);
    await expect(waiting).rejects.toThrow(
      'Pool "main" could not open a connection within 3000 ms (pool.createTimeoutMs).',
    );
    expect(signal?.aborted).toBe(true);
    slow.resolve(0);
    await clock.advanceAsync(0);
    expect(destroyed).toEqual([{ resource: 1, reason: 'late' }]);
    expect(pool.stats()).toMatchObject({ size: 0, connecting: 0, created: 0 });
  });

  it('reports a late one that cannot be destroyed', async () => {
    const slow = Promise.withResolvers<number>();
    const destroy = () => Promise.reject(new Error('will not go'));
    const { pool, clock, events } = numberPool(
      { createTimeoutMs: 1_000 },
      { create: () => slow.promise, destroy },
    );
    const waiting = pool.acquire();
    waiting.catch(() => {});
    await clock.advanceAsync(1_000);
    slow.resolve(0);
    await clock.advanceAsync(0);
    expect(events.of('connection:error').at(-1)?.error.message).toBe('will not go');
  });

  it('takes a connection that is dead on arrival for a failed attempt, and pauses', async () => {
    let usable = false;
    const { pool, destroyed, clock } = numberPool({}, { isUsable: () => usable });
    await expect(pool.acquire()).rejects.toThrow('Pool "main" lost a connection while opening it.');
    await clock.advanceAsync(0);
    expect(destroyed).toEqual([{ resource: 1, reason: 'late' }]);
    usable = true;
    const waiting = pool.acquire();
    await clock.advanceAsync(10);
    expect((await waiting).resource).toBe(2);
  });

  it('asks the factory how a connection is to be called', async () => {
    const named = (resource: number) => ({ connectionId: 100 + resource, role: 'reader' });
    const { pool, clock, events } = numberPool({}, { describe: named });
    (await pool.acquire()).release('discard');
    await clock.advanceAsync(0);
    expect(events.of('connection:open')).toEqual([{ connectionId: 101, role: 'reader', openMs: 0 }]);
    expect(events.of('connection:close')).toEqual([
      { connectionId: 101, role: 'reader', reason: 'discarded' },
    ]);
  });

  it('counts connections itself where the factory cannot describe one', async () => {
    const nameless = () => {
      throw new Error('nameless');
    };
    const { pool, events } = numberPool({}, { describe: nameless });
    await pool.acquire();
    expect(events.of('connection:open')).toEqual([{ connectionId: 1, role: 'main', openMs: 0 }]);
    expect(events.of('connection:error')[0]?.error.message).toBe('nameless');
  });
});

describe('Pool: an attempt that was begun for nobody', () => {
  it('says nothing, when it fails, to those who came since: another is made for them (C37)', async () => {
    const attempts: PromiseWithResolvers<number>[] = [];
    const create = (): Promise<number> => {
      attempts.push(Promise.withResolvers<number>());
      return attempts.at(-1)!.promise;
    };
    const { pool, clock } = numberPool({ min: 1, acquireTimeoutMs: 10_000 }, { create });
    const first = pool.acquire();
    attempts[0]!.resolve(1);
    (await first).release('discard');
    expect(attempts).toHaveLength(2);
    const asked = pool.acquire();
    attempts[1]!.reject(new Error('reset'));
    await clock.advanceAsync(5_000);
    expect(attempts).toHaveLength(3);
    attempts[2]!.resolve(3);
    expect((await asked).resource).toBe(2);
  });
});
