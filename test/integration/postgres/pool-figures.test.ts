import { expect, test } from 'vitest';
import { ConnectionPoolExhaustedError } from '../../../src/index.ts';
import { expectAtRest } from '../../fixtures/scratch-database.ts';
import { openPostgresScratch } from '../../fixtures/scratch-postgres.ts';

test('the figures of a pool have the limit that was configured (S4, P6)', async () => {
  const db = await openPostgresScratch('create table t (id int)', { pool: { max: 3 } });
  expect(db.stats().pool.max).toBe(3);
  await Promise.all(Array.from({ length: 20 }, (_, id) => db.run('insert into t values (:id)', { id })));
  const { size, idle, leased, max, overflow } = db.stats().pool;
  expect(size).toBe(idle + leased);
  expect(size).toBeLessThanOrEqual(max + overflow);
  await expectAtRest(db);
});

test('what has ended is not counted as leased, from its answer on (S4)', async () => {
  const db = await openPostgresScratch('create table t (id int)');
  const calls: Record<string, () => Promise<unknown>> = {
    read: () => db.get('select 1 as one'),
    reads: () => Promise.all(Array.from({ length: 40 }, () => db.value('select 1'))),
    write: () => db.run('insert into t values (1)'),
    writes: () => Promise.all(Array.from({ length: 40 }, () => db.run('insert into t values (1)'))),
    batch: () => db.batch(['select 1', 'select 2']),
    script: () => db.script('select 1; select 2'),
    transaction: () => db.transaction((tx) => tx.get('select 1 as one')),
    // That it fails is what it is for.
    failure: () => db.get('select missing').catch(() => undefined),
  };
  for (let round = 0; round < 6; round += 1) {
    for (const [kind, call] of Object.entries(calls)) {
      await call();
      expect([kind, db.stats().pool.leased, db.leases()]).toEqual([kind, 0, []]);
    }
  }
  const running = db.get('select pg_sleep(0.05)');
  expect(db.stats().pool.leased).toBe(1);
  await running;
  await expectAtRest(db);
});

test('where nobody says anything it is 10 connections', async () => {
  const db = await openPostgresScratch('');
  expect(db.stats().pool.max).toBe(10);
  await expectAtRest(db);
});

test('an exhausted pool names the place in the code of its longest holder (J10)', async () => {
  const db = await openPostgresScratch('', { pool: { max: 1, acquireTimeoutMs: 50 } });
  await using lease = await db.acquire({ timeoutMs: 20_000 });
  const failure = await db.acquire().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConnectionPoolExhaustedError);
  expect((failure as Error).message).toMatch(/taken at .*pool-figures\.test\.ts:\d+:\d+/);
  lease.release();
  await expectAtRest(db);
});
