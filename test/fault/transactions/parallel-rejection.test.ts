import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { ConstraintError, TransactionClosedError, type Database } from '../../../src/index.ts';
import { expectAtRest, outcomes, rejection, scratchForAll } from '../../fixtures/scratch-database.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';

const SCHEMA = `create table row (id integer primary key, kind text);
  insert into row values (0, 'first')`;

/** Calls of one transaction that are made together; the one at `failing` breaks a constraint. */
function together(db: Database, from: number, count: number, failing: number): Promise<unknown>[] {
  return Array.from({ length: count }, (_, index) =>
    db.run('insert into row (id) values (?)', [index === failing ? 0 : from + index]),
  );
}

async function afterMicrotasks(count: number): Promise<void> {
  for (let passed = 0; passed < count; passed += 1) await Promise.resolve();
}

describe('when one of several calls made together rejects', () => {
  const scratch = scratchForAll(SCHEMA);
  const leftovers = (): Promise<unknown> => scratch.db.all('select * from row where id > 0');
  afterEach(() => expectAtRest(scratch.db));

  test(
    'none of its siblings is committed, wherever they are (C30)',
    async () => {
      const { db } = scratch;
      const random = randomFrom(seed);
      for (let round = 0; round < scaled(100); round += 1) {
        const count = 2 + Math.floor(random() * 8);
        const failing = Math.floor(random() * count);
        let siblings: Promise<unknown>[] = [];
        const error = await rejection(
          db.transaction(async () => {
            siblings = together(db, 1, count, failing);
            await Promise.all(siblings);
          }),
        );
        expect(error).toBeInstanceOf(ConstraintError);
        const others = (await outcomes(siblings)).filter((_, index) => index !== failing);
        // Done before the fence fell, or refused by it: nothing else can have become of them.
        for (const one of others) {
          const isTold = !(one instanceof Error) || one instanceof TransactionClosedError;
          expect(isTold, `${String(one)}, seed ${seed}`).toBe(true);
        }
        expect(await leftovers(), `seed ${seed}`).toEqual([]);
      }
    },
    scaledTimeoutMs(),
  );

  test('siblings that come later, from promise chains of their own, are refused (C30)', async () => {
    const { db } = scratch;
    let chains: Promise<unknown>[] = [];
    const error = await rejection(
      db.transaction(async () => {
        const slowly = async (id: number): Promise<void> => {
          for (let step = 0; step < 5; step += 1) {
            await sleep(2);
            await db.run('insert into row (id) values (?)', [id * 10 + step]);
          }
        };
        chains = [1, 2, 3].map(slowly).concat(sleep(5).then(() => Promise.reject(new Error('expected'))));
        await Promise.all(chains);
      }),
    );
    expect(error.message).toBe('expected');
    for (const one of (await outcomes(chains)).slice(0, 3))
      expect(one).toBeInstanceOf(TransactionClosedError);
    expect(await leftovers()).toEqual([]);
  });

  test(
    'siblings that come at any moment of the rollback are refused, and never sent behind it (C30)',
    async () => {
      const { db } = scratch;
      const told = { beforeIt: 0, behindIt: 0 };
      for (let moment = 0; moment < 60; moment += 1) {
        let late: Promise<unknown> = Promise.resolve();
        const error = await rejection(
          db.transaction(async (tx) => {
            await tx.run('insert into row (id) values (1)');
            late = afterMicrotasks(moment).then(() => tx.run('insert into row (id) values (2)'));
            late.catch(() => undefined);
            throw new Error('expected');
          }),
        );
        expect(error.message).toBe('expected');
        const [outcome] = await outcomes([late]);
        expect(
          outcome instanceof Error && !(outcome instanceof TransactionClosedError),
          String(outcome),
        ).toBe(false);
        told[outcome instanceof Error ? 'behindIt' : 'beforeIt'] += 1;
        expect(await leftovers(), `after ${moment} microtasks`).toEqual([]);
      }
      expect(told.behindIt).toBeGreaterThan(30);
    },
    scaledTimeoutMs(),
  );

  test('siblings with transactions of their own inside it are undone with it (C30)', async () => {
    const { db } = scratch;
    const error = await rejection(
      db.transaction(async () => {
        await Promise.all([
          db.transaction((tx) => tx.run('insert into row (id) values (1)')),
          db.transaction((tx) => tx.run('insert into row (id) values (2)'), { propagation: 'nested' }),
          db.transaction((tx) => tx.run('insert into row (id) values (0)')),
        ]);
      }),
    );
    expect(error).toBeInstanceOf(ConstraintError);
    expect(await leftovers()).toEqual([]);
  });

  test('a transaction that has seen it in allSettled may still commit the others (C30)', async () => {
    const { db } = scratch;
    await db.transaction(async () => {
      const told = await Promise.allSettled(together(db, 1, 4, 2));
      expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    });
    expect(await db.all('select id from row where id > 0')).toEqual([{ id: 1 }, { id: 2 }, { id: 4 }]);
    await db.run('delete from row where id > 0');
  });
});
