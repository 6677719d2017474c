import { beforeEach, describe, expect, test } from 'vitest';
import { FakeCachedDatabase } from '../../test/fixtures/fake-cached-database.ts';
import { ManualClock } from '../async/index.ts';
import { TimeoutError, UsageError } from '../errors/index.ts';
import type { EventName } from '../events/index.ts';
import { buildCache } from './build-cache.ts';
import type { Cache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';

let clock: ManualClock;
let db: FakeCachedDatabase;
let cache: Cache;
let loads: number;

function create(options: CacheOptions = {}, random: () => number = () => 0): Cache {
  return buildCache(options, {
    name: 'test',
    database: db,
    listening: undefined,
    announce: db.hub,
    on: (name, listener) => db.on(name, listener),
    clock,
    random,
    onClose: () => undefined,
  });
}

/** Gives how often it was called. */
async function count(): Promise<number> {
  loads += 1;
  return loads;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  clock = new ManualClock();
  db = new FakeCachedDatabase(['users', 'orders']);
  cache = create();
  loads = 0;
});

describe('a value', () => {
  test('is loaded once and given until its time is over (M5)', async () => {
    expect(await cache.getOrSet('k', count, { ttlMs: 100 })).toBe(1);
    clock.advance(99);
    expect(await cache.getOrSet('k', count, { ttlMs: 100 })).toBe(1);
    clock.advance(1);
    expect(await cache.getOrSet('k', count, { ttlMs: 100 })).toBe(2);
    expect(cache.stats()).toMatchObject({
      hits: 1,
      misses: 2,
      loads: 2,
      sets: 2,
      entries: 1,
      hitRate: 1 / 3,
    });
  });

  test('expires up to a tenth earlier, by chance, so that not all do together', async () => {
    const early = create({ ttlMs: 1_000 }, () => 0.999);
    await early.getOrSet('k', count);
    clock.advance(899);
    expect(early.peek('k')).toBe(1);
    clock.advance(3);
    expect(early.peek('k')).toBeUndefined();
  });

  test('that is undefined or null is loaded again, unless that was asked for (M5)', async () => {
    const nothing = async (): Promise<null> => (await count(), null);
    await cache.getOrSet('k', nothing);
    await cache.getOrSet('k', nothing);
    expect(loads).toBe(2);
    for (const key of ['a', 'b']) {
      await cache.getOrSet(key, nothing, { negativeTtlMs: 10 });
      expect(await cache.getOrSet(key, nothing, { negativeTtlMs: 10 })).toBeNull();
    }
    expect(loads).toBe(4);
    clock.advance(10);
    await cache.getOrSet('a', nothing, { negativeTtlMs: 10 });
    expect(loads).toBe(5);
  });

  test('may be set, looked at and deleted', async () => {
    await cache.set('k', 7, { ttlMs: 10 });
    expect([await cache.get('k'), cache.peek('k')]).toEqual([7, 7]);
    expect(await cache.getOrSet('k', count)).toBe(7);
    await cache.delete('k');
    expect([await cache.get('k'), cache.peek('k')]).toEqual([undefined, undefined]);
  });

  test('makes room for others when it was not used for longest, by count and by size (M5)', async () => {
    const small = create({ maxEntries: 2 });
    for (const key of ['a', 'b']) await small.getOrSet(key, count);
    small.peek('a');
    await small.getOrSet('c', count);
    expect(['a', 'b', 'c'].map((key) => small.peek(key))).toEqual([1, undefined, 3]);
    expect(small.stats()).toMatchObject({ evictions: 1, entries: 2, maxEntries: 2 });
    const light = create({ maxBytes: 10_000 });
    for (let index = 0; index < 100; index += 1) await light.getOrSet(index, () => 'x'.repeat(500));
    expect(light.stats().entries).toBeLessThan(10);
    expect(light.stats().bytes).toBeLessThanOrEqual(10_000);
    expect(await light.getOrSet('large', () => 'x'.repeat(6_000))).toHaveLength(6_000);
    expect([light.peek('large'), light.stats().unkept]).toEqual([undefined, 1]);
  });

  test('cannot be changed by who was given it', async () => {
    const rows = await cache.getOrSet('k', () => [{ name: 'Ada', tags: ['a'] }]);
    expect(() => rows[0]!.tags.push('b')).toThrow(TypeError);
    const cloning = create({ values: 'clone' });
    for (let round = 0; round < 3; round += 1) {
      const own = await cloning.getOrSet('k', () => ({ tags: ['a'] }));
      own.tags.push('b');
    }
    expect(await cloning.getOrSet('k', () => ({ tags: ['?'] }))).toEqual({ tags: ['a'] });
    const sharing = create({ values: 'share' });
    (await sharing.getOrSet('k', () => ['a'])).push('b');
    expect(sharing.peek('k')).toEqual(['a', 'b']);
  });

  test('that cannot be copied is given all the same, and not kept', async () => {
    const cloning = create({ values: 'clone' });
    const work = (): number => 1;
    expect(await cloning.getOrSet('k', () => ({ work }))).toEqual({ work });
    expect(cloning.stats()).toMatchObject({ entries: 0, unkept: 1 });
  });
});

describe('a load', () => {
  test('is one, however many ask for the key at once (C50)', async () => {
    const asked = Array.from({ length: 1_000 }, () => cache.getOrSet('k', count));
    expect(new Set(await Promise.all(asked))).toEqual(new Set([1]));
    expect(loads).toBe(1);
    expect(cache.stats().loading).toBe(0);
  });

  test('that rejects is passed on to all who wait, and not kept (C50)', async () => {
    const error = new Error('mine');
    const failing = async (): Promise<never> => {
      await count();
      throw error;
    };
    const asked = Array.from({ length: 100 }, () =>
      cache.getOrSet('k', failing).catch((reason: unknown) => reason),
    );
    expect(new Set(await Promise.all(asked))).toEqual(new Set([error]));
    expect(loads).toBe(1);
    expect(await cache.getOrSet('k', count)).toBe(2);
    const throwing = (): never => {
      throw error;
    };
    await expect(cache.getOrSet('other', throwing)).rejects.toBe(error);
    expect(cache.stats()).toMatchObject({ loadErrors: 2, entries: 1 });
  });

  test('that never ends is given up, and the next caller begins another (C50, B10)', async () => {
    let signal: AbortSignal | undefined;
    const hanging = cache.getOrSet(
      'k',
      (context) => new Promise<number>(() => void (signal = context.signal)),
      {
        loadTimeoutMs: 50,
      },
    );
    const failure = hanging.catch((error: unknown) => error);
    await clock.advanceAsync(50);
    expect(await failure).toBeInstanceOf(TimeoutError);
    expect([signal?.aborted, cache.stats().loadTimeouts, cache.stats().loading]).toEqual([true, 1, 0]);
    expect(await cache.getOrSet('k', count)).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('that ends after it was given up is not kept', async () => {
    const late = Promise.withResolvers<number>();
    const asked = cache.getOrSet('k', () => late.promise, { loadTimeoutMs: 50 }).catch(() => 'given up');
    await clock.advanceAsync(50);
    late.resolve(1);
    expect(await asked).toBe('given up');
    expect(cache.peek('k')).toBeUndefined();
  });

  test('that asks for its own key is refused, at any depth', async () => {
    const direct = cache.getOrSet('k', () => cache.getOrSet('k', count));
    await expect(direct).rejects.toThrow(UsageError);
    const around: Promise<unknown> = cache.getOrSet('a', () =>
      cache.getOrSet('b', (): Promise<unknown> => cache.getOrSet('a', count)),
    );
    await expect(around).rejects.toThrow('never end');
  });

  test('whose value is deleted or set meanwhile is not kept', async () => {
    for (const change of [() => cache.delete('k'), () => cache.set('k', 'set'), () => cache.clear()]) {
      const load = Promise.withResolvers<string>();
      const asked = cache.getOrSet('k', () => load.promise);
      await change();
      const later = cache.getOrSet('k', () => 'later');
      load.resolve('loaded');
      expect(await asked).toBe('loaded');
      expect(['later', 'set']).toContain(await later);
      expect(['later', 'set']).toContain(cache.peek('k'));
      await cache.clear();
    }
  });
});

describe('an old value', () => {
  const options = { ttlMs: 100, staleMs: 50, graceMs: 200 };

  test('is given at once while one call loads a new one', async () => {
    await cache.getOrSet('k', count, options);
    clock.advance(100);
    const load = Promise.withResolvers<string>();
    const again = () => cache.getOrSet<unknown>('k', () => (count(), load.promise), options);
    expect(await Promise.all([again(), again()])).toEqual([1, 1]);
    expect([loads, cache.stats().stale]).toEqual([2, 2]);
    load.resolve('new');
    await settled();
    expect(await again()).toBe('new');
  });

  test('is given where loading fails, for the length of its grace, without trying all the time', async () => {
    await cache.getOrSet('k', count, options);
    clock.advance(160);
    const failing = async (): Promise<never> => {
      await count();
      throw new Error('down');
    };
    const again = () => cache.getOrSet<unknown>('k', failing, { ...options, retryAfterMs: 20 });
    expect([await again(), await again(), loads]).toEqual([1, 1, 2]);
    clock.advance(20);
    expect([await again(), loads]).toEqual([1, 3]);
    clock.advance(120);
    await expect(again()).rejects.toThrow('down');
  });

  test('is given after the soft timeout, and the load goes on', async () => {
    await cache.getOrSet('k', count, options);
    clock.advance(160);
    const load = Promise.withResolvers<string>();
    const asked = cache.getOrSet<unknown>('k', () => load.promise, { ...options, softTimeoutMs: 30 });
    await clock.advanceAsync(30);
    expect(await asked).toBe(1);
    load.resolve('new');
    await settled();
    expect(cache.peek('k')).toBe('new');
  });

  test('that was invalidated is not given, whatever fails (B15)', async () => {
    await cache.getOrSet('k', count, { ...options, tags: ['t'] });
    clock.advance(160);
    const load = Promise.withResolvers<string>();
    const asked = cache.getOrSet<unknown>('k', () => load.promise, options);
    await cache.invalidateTags('t');
    load.reject(new Error('down'));
    await expect(asked).rejects.toThrow('down');
  });
});

describe('invalidation', () => {
  test('finds values by tag, fixed or made of the value', async () => {
    await cache.getOrSet('a', () => ({ id: 1 }), { tags: ({ id }) => [`user:${id}`, 'users'] });
    await cache.getOrSet('b', () => ({ id: 2 }), { tags: ['users'] });
    await cache.invalidateTags('user:1');
    expect([cache.peek('a'), cache.peek('b')]).toEqual([undefined, { id: 2 }]);
    await cache.invalidateTags('users', 'others');
    expect(cache.stats()).toMatchObject({ entries: 0, dropped: 2, invalidations: 2 });
  });

  test('finds values by the tables that their loads read, and by no others (X4)', async () => {
    const user = () => cache.getOrSet('user', async () => (await count(), db.read('users')));
    await user();
    await db.write('orders');
    await user();
    expect(loads).toBe(1);
    await db.write('users');
    expect([await user(), loads]).toEqual([db.committed('users'), 2]);
    await cache.invalidateTables('Public.Users');
    await user();
    expect(loads).toBe(3);
  });

  test('of everything that read a table, where nobody knows which was changed', async () => {
    await cache.getOrSet('read', () => db.read('users'));
    await cache.getOrSet('said', () => 1, { tables: ['orders'] });
    await cache.getOrSet('else', () => 1, { tags: ['t'] });
    db.hub.emit('data:change', { tables: undefined, source: 'foreign' });
    expect(['read', 'said', 'else'].map((key) => cache.peek(key))).toEqual([undefined, undefined, 1]);
  });

  test('of whatever used a cached value, with that value', async () => {
    const inner = () => cache.getOrSet('inner', () => db.read('users'), { tags: ['t'] });
    const outer = () => cache.getOrSet('outer', async () => (await count(), inner()));
    await inner();
    for (const change of [
      () => db.write('users'),
      () => cache.invalidateTags('t'),
      () => cache.delete('inner'),
    ]) {
      await outer();
      await change();
      expect(cache.peek('outer')).toBeUndefined();
    }
    expect(loads).toBe(3);
  });

  test('by any change, of a value whose load left a statement under way', async () => {
    await cache.getOrSet('k', async () => {
      db.hub.emit('query:start', { sql: 'a stream that is left' });
      return 1;
    });
    await db.write('orders');
    expect(cache.peek('k')).toBeUndefined();
  });

  test('keeps the result of a load that began before it from being kept (C51)', async () => {
    const load = Promise.withResolvers<number>();
    const asked = cache.getOrSet('k', () => load.promise, { tags: ['t'] });
    await cache.invalidateTags('t');
    load.resolve(1);
    expect(await asked).toBe(1);
    expect([cache.peek('k'), cache.stats().refused]).toEqual([undefined, 1]);
  });

  test('is announced with its source; keys and values are in no event (B18)', async () => {
    const told: unknown[] = [];
    const names: readonly EventName[] = ['cache:hit', 'cache:miss', 'cache:set', 'cache:invalidate'];
    for (const name of names) cache.on(name, (event) => told.push({ name, ...event }));
    await cache.getOrSet('hunter2', () => 'hunter2', { name: 'secrets', tags: ['hunter2'] });
    await cache.getOrSet('hunter2', count, { name: 'secrets' });
    await cache.invalidateTags('hunter2');
    const about = { cache: 'test', database: 'fake' };
    expect(told).toEqual([
      { name: 'secrets', ...about, bytes: expect.any(Number) },
      { name: 'secrets', ...about, bypassed: false },
      { name: 'secrets', ...about, tier: 'memory', stale: false },
      { name: 'cache:invalidate', ...about, source: 'local', dropped: 1 },
    ]);
  });
});

describe('a transaction that writes', () => {
  test('is given nothing that is kept, and leaves nothing (B15)', async () => {
    await cache.getOrSet('k', () => 'kept');
    const transaction = db.begin(false);
    await db.run(transaction, async () => {
      expect(await cache.getOrSet('k', () => 'own')).toBe('own');
      expect([await cache.get('k'), cache.peek('k')]).toEqual([undefined, undefined]);
      await cache.set('new', 'own');
      await cache.getOrSet('other', () => 'own');
    });
    await db.rollback(transaction);
    expect(['k', 'new', 'other'].map((key) => cache.peek(key))).toEqual(['kept', undefined, undefined]);
    expect(cache.stats().bypassed).toBe(2);
  });

  test('invalidates when it commits, also by tag and by key; not before, nor if it rolls back', async () => {
    const fill = async (): Promise<void> => {
      await cache.getOrSet('tagged', () => 1, { tags: ['t'] });
      await cache.getOrSet('deleted', () => 1);
      await cache.getOrSet('replaced', () => 1);
    };
    const kept = () => ['tagged', 'deleted', 'replaced'].map((key) => cache.peek(key));
    for (const end of ['rollback', 'commit'] as const) {
      await fill();
      const transaction = db.begin(false);
      await db.run(transaction, async () => {
        await cache.invalidateTags('t');
        await cache.delete('deleted');
        await cache.set('replaced', 2);
      });
      expect(kept()).toEqual([1, 1, 1]);
      await db[end](transaction);
      expect(kept()).toEqual(end === 'commit' ? [undefined, undefined, undefined] : [1, 1, 1]);
    }
  });

  test('with an unknown outcome invalidates too: it may be committed', async () => {
    await cache.getOrSet('k', () => 1, { tags: ['t'] });
    const transaction = db.begin(false);
    await db.run(transaction, () => cache.invalidateTags('t'));
    const { id: transactionId } = transaction;
    db.hub.emit('transaction:unknown', {
      transactionId,
      readOnly: false,
      durationMs: 1,
      error: new Error('lost'),
    });
    expect(cache.peek('k')).toBeUndefined();
  });

  test('that is only read through a handle leaves nothing either, until it commits', async () => {
    const read = async (end: 'commit' | 'rollback' | undefined): Promise<unknown> => {
      const transaction = db.begin(false);
      await db.write('users', transaction);
      await cache.getOrSet(`k ${end}`, async () => {
        const value = await db.read('users', transaction);
        if (end !== undefined) await db[end](transaction);
        return value;
      });
      return cache.peek(`k ${end}`);
    };
    expect([await read(undefined), await read('rollback'), await read('commit')]).toEqual(
      Array(3).fill(undefined),
    );
  });
});

describe('a read-only transaction', () => {
  test('is given what is kept, and what it loads is kept', async () => {
    const transaction = db.begin(true);
    const read = () => cache.getOrSet('k', async () => (await count(), db.read('users')));
    expect(await db.run(transaction, read)).toBe(0);
    await db.commit(transaction);
    await read();
    expect(loads).toBe(1);
  });

  test('that began before a change does not bring back what was before it (C51)', async () => {
    const transaction = db.begin(true);
    await db.write('users');
    expect(await db.run(transaction, () => cache.getOrSet('k', () => db.read('users')))).toBe(0);
    expect(cache.peek('k')).toBeUndefined();
    await db.commit(transaction);
  });

  test('that ends under its load is no reason for others to fail', async () => {
    const transaction = db.begin(true);
    const load = Promise.withResolvers<number>();
    const first = db.run(transaction, () => cache.getOrSet('k', () => load.promise));
    const second = cache.getOrSet('k', count);
    load.reject(new Error('the transaction has ended'));
    await expect(first).rejects.toThrow('has ended');
    expect(await second).toBe(1);
    await db.rollback(transaction);
  });
});

describe('a closed cache', () => {
  test('keeps nothing, listens to nothing, and every call loads', async () => {
    await cache.getOrSet('k', count);
    await cache.close();
    await cache.close();
    expect([await cache.getOrSet('k', count), await cache.get('k'), cache.stats().entries]).toEqual([
      2,
      undefined,
      0,
    ]);
    await cache.set('k', 1);
    expect(cache.peek('k')).toBeUndefined();
    for (const name of ['data:change', 'query:end', 'transaction:start'] as const)
      expect(db.hub.has(name)).toBe(false);
  });

  test('listens to statements only while something is loaded', async () => {
    const heard = await cache.getOrSet('k', () => db.hub.has('query:end'));
    expect([heard, db.hub.has('query:end')]).toEqual([true, false]);
  });

  test('frees what has expired when it is told to (M5)', async () => {
    await cache.getOrSet('a', count, { ttlMs: 10 });
    await cache.getOrSet('b', count, { ttlMs: 20 });
    clock.advance(15);
    expect([cache.cleanup(), cache.stats().entries]).toEqual([1, 1]);
    await cache.clear();
    expect(cache.stats().entries).toBe(0);
  });
});
