import assert from 'node:assert/strict';
import { describe, expect, test } from 'vitest';
import { onCommit, onRollback, transactional, type Transaction } from '../../src/index.ts';
import { databaseContract, expectAtRest, withRollback, type TestRunner } from '../../src/testing/index.ts';
import { openScratch, rejection } from '../fixtures/scratch-database.ts';

const SCHEMA = 'create table t (x integer)';
const add = (tx: Pick<Transaction, 'run'>, x: number) => tx.run('insert into t values (?)', [x]);

describe('withRollback()', () => {
  test('gives what its function gave, and leaves nothing behind', async () => {
    const { db } = await openScratch(SCHEMA);
    const count = await withRollback(db, async (tx) => {
      await add(tx, 1);
      await add(db, 2);
      return db.value('select count(*) from t');
    });
    expect(count).toBe(2);
    expect(await db.value('select count(*) from t')).toBe(0);
    await expectAtRest(db);
  });

  test('passes on the error of its function', async () => {
    const { db } = await openScratch(SCHEMA);
    const mine = new Error('mine');
    const failing = withRollback(db, async (tx) => {
      await add(tx, 1);
      throw mine;
    });
    expect(await rejection(failing)).toBe(mine);
    expect(await db.value('select count(*) from t')).toBe(0);
    await expectAtRest(db);
  });

  test('makes savepoints of the transactions inside: each ends as it would alone', async () => {
    const { db } = await openScratch(SCHEMA, { name: 'rolled-back' });
    const told: string[] = [];
    const addAll = transactional(
      async (xs: number[], fails: boolean) => {
        onRollback(() => told.push('undone'));
        onCommit(() => told.push('never'));
        for (const x of xs) await db.transaction((tx) => add(tx, x));
        if (fails) throw new Error('mine');
      },
      { database: 'rolled-back' },
    );
    await withRollback(db, async () => {
      await addAll([1, 2], false);
      await rejection(addAll([3, 4], true));
      // A part that joined within one of them dooms it, as it would outside.
      await rejection(
        db.transaction(async () => {
          await add(db, 5);
          await rejection(db.transaction(() => Promise.reject(new Error('part'))));
        }),
      );
      await addAll([6], false);
      expect(await db.all('select x from t order by x')).toEqual([{ x: 1 }, { x: 2 }, { x: 6 }]);
    });
    // One for the part that failed, two for those that were undone with the whole.
    expect(told).toEqual(['undone', 'undone', 'undone']);
    expect(await db.value('select count(*) from t')).toBe(0);
    await expectAtRest(db);
  });

  test('may stand inside another: only its own part is undone then', async () => {
    const { db } = await openScratch(SCHEMA);
    await withRollback(db, async () => {
      await add(db, 1);
      await withRollback(db, () => add(db, 2));
      expect(await db.all('select x from t')).toEqual([{ x: 1 }]);
    });
  });
});

describe('expectAtRest()', () => {
  test('names who still holds what', async () => {
    const { db } = await openScratch(SCHEMA);
    const lease = await db.acquire({ name: 'a forgotten export' });
    const error = await rejection(expectAtRest(db));
    expect(error).toBeInstanceOf(assert.AssertionError);
    expect(error.message).toContain('a forgotten export');
    lease.release();
    const tx = await db.begin();
    expect((await rejection(expectAtRest(db))).message).toContain('active');
    await tx.rollback();
    await expectAtRest(db);
  });
});

describe('databaseContract()', () => {
  /** A runner that only notes what it is told. */
  function note(skip: Record<string, string>) {
    const names: string[] = [];
    const skipped: string[] = [];
    const it = Object.assign((name: string) => names.push(name), {
      skip: (name: string) => skipped.push(name),
    });
    const runner: TestRunner = { describe: (_, body) => body(), it, afterAll: () => undefined };
    databaseContract('a database', () => Promise.reject(new Error('not opened')), { runner, skip });
    return { names, skipped };
  }

  test('has every behaviour once, and shows why one is skipped', () => {
    const all = note({});
    expect(all.names.length).toBeGreaterThan(100);
    expect(new Set(all.names).size).toBe(all.names.length);
    const { names, skipped } = note({ 'a stream gives every row once, in order': 'it has no rows' });
    expect(names).toHaveLength(all.names.length - 1);
    expect(skipped).toEqual(['gives every row once, in order (not here: it has no rows)']);
  });

  test('refuses an exemption from nothing, and one without a reason', () => {
    expect(() => note({ 'a stream does what it never did': 'because' })).toThrow('no behaviour');
    expect(() => note({ 'a stream gives every row once, in order': ' ' })).toThrow('without a reason');
  });
});
