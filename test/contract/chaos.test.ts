import { expect, test } from 'vitest';
import {
  ConnectionError,
  ConnectionPoolExhaustedError,
  OutcomeUnknownError,
  sql,
  UsageError,
} from '../../src/index.ts';
import { chaos, type ChaosOptions } from '../../src/testing/index.ts';
import { expectAtRest, openScratch, rejection } from '../fixtures/scratch-database.ts';

const SCHEMA = 'create table t (x integer)';
const CALM = { refuse: 0, lose: 0, forget: 0, delay: 0 };

async function onBadDays(options: ChaosOptions) {
  const { db } = await openScratch(SCHEMA);
  const count = () => db.value<number>('select count(*) from t');
  return { db, count, bad: chaos(db, { ...CALM, ...options }) };
}

test('a call that is refused or lost was never sent, and may be made again', async () => {
  const { db, count, bad } = await onBadDays({ refuse: 1 });
  expect(await rejection(bad.run(sql`insert into t values (1)`))).toBeInstanceOf(
    ConnectionPoolExhaustedError,
  );
  const lost = await rejection(chaos(db, { ...CALM, lose: 1 }).batch(['insert into t values (1)']));
  expect(lost).toBeInstanceOf(ConnectionError);
  expect(lost).toMatchObject({ retryable: true });
  expect(await count()).toBe(0);
  expect(bad.faults).toEqual({ refuse: 1, lose: 0, forget: 0, delay: 0 });
  await expectAtRest(db);
});

test('a write that is forgotten was done: its outcome is unknown to the caller', async () => {
  const { db, count, bad } = await onBadDays({ forget: 1 });
  expect(await rejection(bad.run(sql`insert into t values (1)`))).toBeInstanceOf(OutcomeUnknownError);
  // Inside the transaction nothing is committed yet: only its end can be forgotten.
  const transaction = bad.transaction(() => bad.run(sql`insert into t values (2)`));
  expect(await rejection(transaction)).toBeInstanceOf(OutcomeUnknownError);
  expect(await bad.value('select count(*) from t')).toBe(2);
  expect(bad.faults.forget).toBe(2);
  expect(await count()).toBe(2);
  await expectAtRest(db);
});

test('a late call does all the same', async () => {
  const { db, bad } = await onBadDays({ delay: 1, maxDelayMs: 1 });
  await bad.script('insert into t values (1)');
  expect(await bad.get('select x from t')).toEqual({ x: 1 });
  const rows = [];
  for await (const row of bad.stream('select x from t')) rows.push(row);
  expect(rows).toEqual([{ x: 1 }]);
  expect(bad.faults.delay).toBe(3);
  await expectAtRest(db);
});

test('the same seed gives the same faults', async () => {
  const { db } = await openScratch(SCHEMA);
  const outcomes = async (seed: number) => {
    const bad = chaos(db, { seed, delay: 0, refuse: 0.3, lose: 0.3 });
    const names: string[] = [];
    for (let call = 0; call < 40; call++) {
      names.push(
        await bad.value('select 1').then(
          () => 'done',
          (error: Error) => error.name,
        ),
      );
    }
    return names;
  };
  const first = await outcomes(7);
  expect(new Set(first).size).toBe(3);
  expect(await outcomes(7)).toEqual(first);
  expect(await outcomes(8)).not.toEqual(first);
  expect(chaos(db).seed).not.toBe(chaos(db).seed);
  await expectAtRest(db);
});

test('a share that is not one is refused', async () => {
  const { db } = await openScratch(SCHEMA);
  expect(() => chaos(db, { lose: 2 })).toThrow(UsageError);
  await expectAtRest(db);
});
