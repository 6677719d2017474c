import { beforeEach, describe, expect, test } from 'vitest';
import { CacheBench } from '../../test/fixtures/cache-bench.ts';
import type { FakeCachedDatabase } from '../../test/fixtures/fake-cached-database.ts';
import type { EventName } from '../events/index.ts';
import type { Cache } from './cache.ts';

let bench: CacheBench;
let cache: Cache;
const count = (): Promise<number> => bench.count();
let db: FakeCachedDatabase;

beforeEach(() => {
  bench = new CacheBench();
  ({ cache, db } = bench);
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
    expect(bench.loads).toBe(1);
    await db.write('users');
    expect([await user(), bench.loads]).toEqual([db.committed('users'), 2]);
    await cache.invalidateTables('Public.Users');
    await user();
    expect(bench.loads).toBe(3);
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
    expect(bench.loads).toBe(3);
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
    expect(bench.loads).toBe(1);
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
