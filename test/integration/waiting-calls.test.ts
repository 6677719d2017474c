import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { CallOptions, Database, EventOf, Queryable } from '../../src/index.ts';
import { expectAtRest, openScratch, rejection } from '../fixtures/scratch-database.ts';

const WRITE = 'insert into t (x) values (1) returning x';

/** Every kind of write, with the options of its call. */
const WRITES: Record<string, (db: Queryable, options: CallOptions) => Promise<unknown>> = {
  run: (db, options) => db.run(WRITE, [], options),
  all: (db, options) => db.all(WRITE, [], options),
  get: (db, options) => db.get(WRITE, [], options),
  value: (db, options) => db.value(WRITE, [], options),
  json: (db, options) => db.json(WRITE, [], options),
  batch: (db, options) => db.batch([WRITE], options),
  script: (db, options) => db.script(WRITE, options),
  stream: async (db, options) => {
    for await (const row of db.stream(WRITE, [], options)) return row;
    return undefined;
  },
};

test.each([true, false])(
  'with pooled: %s, every write that waits for the writer ends at its limit',
  async (pooled) => {
    const { db } = await openScratch('create table t (x)', { pooled });
    const transaction = await db.begin();
    const reason = new Error('no longer wanted');
    for (const [kind, write] of Object.entries(WRITES)) {
      const late = await rejection(write(db, { timeoutMs: 20, name: 'w' }));
      expect(late, kind).toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT', timeoutMs: 20 });
      const controller = new AbortController();
      const aborted = rejection(write(db, { signal: controller.signal }));
      controller.abort(reason);
      expect(await aborted, kind).toBe(reason);
      expect(await rejection(write(db, { signal: controller.signal })), kind).toBe(reason);
    }
    await transaction.rollback();
    expect(await db.value('select count(*) from t')).toBe(0);
    await expectAtRest(db);
  },
);

test('every read that waits for a reader ends at its limit', async () => {
  const { db } = await openScratch('create table t (x)', { pool: { max: 1 } });
  await using held = await db.acquire();
  expect(await held.connection.value('select 1')).toBe(1);
  const stream = (options: CallOptions) => db.stream('select 1', [], options).next();
  expect(await rejection(stream({ timeoutMs: 20 }))).toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT' });
  const reason = new Error('no longer wanted');
  expect(await rejection(stream({ signal: AbortSignal.abort(reason) }))).toBe(reason);
});

test('a heavy read that waits for a reader ends at its limit', async () => {
  const { db } = await openScratch('create table t (x)', { pool: { max: 1 } });
  const heavy = `with recursive n (i) as (select 1 union all select i + 1 from n where i < 400000)
    select count(*) from n`;
  await db.value(heavy);
  await using held = await db.acquire();
  expect(await rejection(db.value(heavy, [], { timeoutMs: 20 }))).toMatchObject({
    code: 'ERR_MILLPOND_TIMEOUT',
  });
  held.release();
  await expectAtRest(db);
});

test.each([true, false])(
  'with pooled: %s, the rows of a streamed write come after its COMMIT',
  async (pooled) => {
    const { db } = await openScratch('create table t (x)', { pooled });
    const seenBy = async (source: Queryable) => {
      for await (const row of source.stream(WRITE)) return row;
      return undefined;
    };
    expect(await seenBy(db)).toEqual({ x: 1 });
    await using lease = await db.acquire();
    expect(await seenBy(lease.connection)).toEqual({ x: 1 });
    lease.release();
    expect(await db.value('select count(*) from t')).toBe(2);
    expect(await rejection(seenBy(db).then(() => streamOf(db, 'selec 1')))).toMatchObject({
      name: 'QueryExecutionError',
    });
  },
);

function streamOf(db: Database, text: string): Promise<unknown> {
  return db.stream(text).next();
}

test.each([true, false])(
  'with pooled: %s, SQL that cannot be prepared is an error that is told',
  async (pooled) => {
    const { db } = await openScratch('create table t (x)', { pooled });
    const told: unknown[] = [];
    db.on('query:error', ({ sql, name }) => told.push([sql, name]));
    const text = 'select nothing from nowhere';
    const error = await rejection(db.all(text, [], { name: 'lost' }));
    expect(error).toMatchObject({ name: 'QueryExecutionError', sql: text, queryName: 'lost' });
    expect(told).toEqual([[text, 'lost']]);
    expect(db.stats().queries.errors).toBe(1);
  },
);

test('a slow statement tells how long it waited, though nobody listens to the others (P8)', async () => {
  const { db } = await openScratch('create table t (x)', { slowQueryMs: 30, log: 'silent' });
  const insert = 'insert into t values (1)';
  // On a slow machine others are slow too.
  const slow = new Promise<EventOf<'query:slow'>>((resolve) => {
    db.on('query:slow', (event) => {
      if (event.sql === insert) resolve(event);
    });
  });
  const tx = await db.begin();
  const write = db.run(insert);
  await sleep(100);
  await tx.rollback();
  await write;
  const { waitedMs, ranMs, durationMs } = await slow;
  expect(waitedMs).toBeGreaterThan(90);
  expect(waitedMs! + ranMs!).toBeLessThanOrEqual(durationMs);
});
