import { beforeEach, describe, expect, test } from 'vitest';
import { CacheBench } from '../../test/fixtures/cache-bench.ts';
import type { ManualClock } from '../async/index.ts';
import { TimeoutError, UsageError } from '../errors/index.ts';
import type { FakeCachedDatabase } from '../../test/fixtures/fake-cached-database.ts';
import type { Cache } from './cache.ts';

let bench: CacheBench;
let cache: Cache;
const count = (): Promise<number> => bench.count();
let clock: ManualClock;
let db: FakeCachedDatabase;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  bench = new CacheBench();
  ({ cache, clock, db } = bench);
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
    const early = bench.create({ ttlMs: 1_000 }, () => 0.999);
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
    expect(bench.loads).toBe(2);
    for (const key of ['a', 'b']) {
      await cache.getOrSet(key, nothing, { negativeTtlMs: 10 });
      expect(await cache.getOrSet(key, nothing, { negativeTtlMs: 10 })).toBeNull();
    }
    expect(bench.loads).toBe(4);
    clock.advance(10);
    await cache.getOrSet('a', nothing, { negativeTtlMs: 10 });
    expect(bench.loads).toBe(5);
  });

  test('may be set, looked at and deleted', async () => {
    await cache.set('k', 7, { ttlMs: 10 });
    expect([await cache.get('k'), cache.peek('k')]).toEqual([7, 7]);
    expect(await cache.getOrSet('k', count)).toBe(7);
    await cache.delete('k');
    expect([await cache.get('k'), cache.peek('k')]).toEqual([undefined, undefined]);
  });

  test('makes room for others when it was not used for longest, by count and by size (M5)', async () => {
    const small = bench.create({ maxEntries: 2 });
    for (const key of ['a', 'b']) await small.getOrSet(key, count);
    small.peek('a');
    await small.getOrSet('c', count);
    expect(['a', 'b', 'c'].map((key) => small.peek(key))).toEqual([1, undefined, 3]);
    expect(small.stats()).toMatchObject({ evictions: 1, entries: 2, maxEntries: 2 });
    const light = bench.create({ maxBytes: 10_000 });
    for (let index = 0; index < 100; index += 1) await light.getOrSet(index, () => 'x'.repeat(500));
    expect(light.stats().entries).toBeLessThan(10);
    expect(light.stats().bytes).toBeLessThanOrEqual(10_000);
    expect(await light.getOrSet('large', () => 'x'.repeat(6_000))).toHaveLength(6_000);
    expect([light.peek('large'), light.stats().unkept]).toEqual([undefined, 1]);
  });

  test('counts the whole buffer that a piece keeps alive, of the common pool the piece (M5)', async () => {
    const bounded = bench.create({ maxBytes: 1_000_000 });
    const large = Buffer.alloc(100_000);
    await bounded.set('pieces', [large.subarray(0, 10), new DataView(large.buffer, 0, 10)]);
    expect(bounded.stats().bytes).toBeGreaterThan(100_000);
    expect(bounded.stats().bytes).toBeLessThan(101_000);
    await bounded.set('small', Buffer.from('ab'));
    await bounded.set('common', new Uint8Array(new SharedArrayBuffer(100_000)));
    expect(bounded.stats().bytes).toBeGreaterThan(200_000);
    expect(bounded.stats().bytes).toBeLessThan(202_000);
  });

  test('cannot be changed by the callers that got it', async () => {
    const rows = await cache.getOrSet('k', () => [{ name: 'Ada', tags: ['a'] }]);
    expect(() => rows[0]!.tags.push('b')).toThrow(TypeError);
    const cloning = bench.create({ values: 'clone' });
    for (let round = 0; round < 3; round += 1) {
      const own = await cloning.getOrSet('k', () => ({ tags: ['a'] }));
      own.tags.push('b');
    }
    expect(await cloning.getOrSet('k', () => ({ tags: ['?'] }))).toEqual({ tags: ['a'] });
    const sharing = bench.create({ values: 'share' });
    (await sharing.getOrSet('k', () => ['a'])).push('b');
    expect(sharing.peek('k')).toEqual(['a', 'b']);
  });

  test('that cannot be copied is given all the same, and not kept', async () => {
    const cloning = bench.create({ values: 'clone' });
    const work = (): number => 1;
    expect(await cloning.getOrSet('k', () => ({ work }))).toEqual({ work });
    expect(cloning.stats()).toMatchObject({ entries: 0, unkept: 1 });
    class User {
      readonly name = 'Ada';
    }
    for (const value of [Buffer.from('a'), { user: new User() }, { [Symbol('s')]: 1 }]) {
      for (let use = 0; use < 2; use += 1)
        expect(await cloning.getOrSet('k', () => value)).toStrictEqual(value);
    }
    expect(cloning.stats()).toMatchObject({ entries: 0, unkept: 7 });
  });
});

describe('a load', () => {
  test('is one, however many ask for the key at once (C50)', async () => {
    const asked = Array.from({ length: 1_000 }, () => cache.getOrSet('k', count));
    expect(new Set(await Promise.all(asked))).toEqual(new Set([1]));
    expect(bench.loads).toBe(1);
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
    expect(bench.loads).toBe(1);
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

  test('whose value is deleted or set in the meantime is not kept', async () => {
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
    expect([bench.loads, cache.stats().stale]).toEqual([2, 2]);
    load.resolve('new');
    await settled();
    expect(await again()).toBe('new');
  });

  test.each([
    ['there is nothing any more', null],
    ['the new one cannot be kept', { text: 'x'.repeat(10_000) }],
  ])('does not come back once it is known that %s', async (_, found) => {
    const small = bench.create({ maxBytes: 1_000 });
    await small.getOrSet('k', count, options);
    clock.advance(150);
    expect(await small.getOrSet<unknown>('k', () => found, options)).toBe(found);
    expect(small.peek('k')).toBeUndefined();
    const failing = small.getOrSet('k', () => Promise.reject(new Error('down')), options);
    await expect(failing).rejects.toThrow('down');
  });

  test('is given where loading fails, for the length of its grace, without trying all the time', async () => {
    await cache.getOrSet('k', count, options);
    clock.advance(160);
    const failing = async (): Promise<never> => {
      await count();
      throw new Error('down');
    };
    const again = () => cache.getOrSet<unknown>('k', failing, { ...options, retryAfterMs: 20 });
    expect([await again(), await again(), bench.loads]).toEqual([1, 1, 2]);
    clock.advance(20);
    expect([await again(), bench.loads]).toEqual([1, 3]);
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
