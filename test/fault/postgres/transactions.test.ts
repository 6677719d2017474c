import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { MillpondError, openDatabase, TransactionClosedError, type Transaction } from '../../../src/index.ts';
import { resultOf } from '../../fixtures/run-script.ts';
import { expectAtRest, outcomes, rejection } from '../../fixtures/scratch-database.ts';
import { openPostgresScratch } from '../../fixtures/scratch-postgres.ts';
import { backendOf, postgresScratch, terminate } from '../../fixtures/postgres-database.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';

const SCHEMA = 'create table items (id bigserial primary key, note text)';
const INSERT = "insert into items (note) values ('escaped')";

/** Every way to use a handle. */
const USES: Readonly<Record<string, (tx: Transaction) => Promise<unknown>>> = {
  run: (tx) => tx.run(INSERT),
  all: (tx) => tx.all(`${INSERT} returning id`),
  value: (tx) => tx.value(`${INSERT} returning id`),
  json: (tx) => tx.json(`${INSERT} returning id`),
  batch: (tx) => tx.batch([INSERT]),
  script: (tx) => tx.script(INSERT),
  stream: (tx) => tx.stream(`${INSERT} returning id`).next(),
  copyIn: (tx) => tx.copyIn('copy items (note) from stdin', ['escaped\n']),
  copyOut: async (tx) => tx.copyOut('copy items to stdout').next(),
  read: (tx) => tx.value('select count(*) from items'),
  nested: (tx) => tx.transaction((inner) => inner.run(INSERT)),
  begin: (tx) => tx.begin(),
  commitAndContinue: (tx) => tx.commitAndContinue(),
};

interface Ended {
  readonly tx: Transaction;
  /** In the async context that the transaction's function had. */
  late<T>(work: () => Promise<T>): Promise<T>;
}

describe('a transaction that has ended', () => {
  const scratch = postgresScratch(SCHEMA);
  afterEach(async () => {
    await scratch.other.run('delete from items');
  });

  async function endedBy(work: (tx: Transaction) => Promise<unknown>, timeoutMs?: number): Promise<Ended> {
    let [tx, resource] = [undefined as Transaction | undefined, undefined as AsyncResource | undefined];
    const running = scratch.db.transaction(
      async (handle) => {
        [tx, resource] = [handle, new AsyncResource('late work')];
        await work(handle);
      },
      { timeoutMs },
    );
    await running.catch((error: unknown) => expect(error).toBeInstanceOf(Error));
    return { tx: tx!, late: (late) => resource!.runInAsyncScope(late) };
  }

  const ENDS: Readonly<Record<string, () => Promise<Ended>>> = {
    'its commit': () => endedBy((tx) => tx.run(INSERT.replace('escaped', 'kept'))),
    'a function that throws': () =>
      endedBy(async (tx) => {
        await tx.run(INSERT);
        throw new Error('expected');
      }),
    'its timeout': () =>
      endedBy(async (tx) => {
        await tx.run(INSERT);
        await sleep(2_000, undefined, { ref: false });
      }, 50),
    'the end of its connection': () =>
      endedBy(async (tx) => {
        await tx.run(INSERT);
        await terminate(scratch.other, await backendOf(tx));
        await tx.run(INSERT);
      }),
    'a statement that failed': () =>
      endedBy(async (tx) => {
        await tx.run(INSERT);
        await tx.run('insert into items (id) values (null)');
      }),
  };

  test.each(Object.entries(ENDS))(
    'by %s refuses every use, of its handle, its context and a timer, and nothing is written (C28)',
    async (_end, end) => {
      const { tx, late } = await end();
      for (const [use, call] of Object.entries(USES)) {
        const waiting = new Promise((resolve) => setTimeout(resolve, 1)).then(() => call(tx));
        const ways = [call(tx), late(() => call(tx)), late(() => scratch.db.run(INSERT)), waiting];
        for (const error of await outcomes(ways)) expect(error, use).toBeInstanceOf(TransactionClosedError);
      }
      expect(await scratch.other.value("select count(*)::int from items where note = 'escaped'")).toBe(0);
    },
  );

  test('by the end of its database does so too (C28)', async () => {
    const db = await openDatabase(scratch.url, { name: false, log: 'silent' });
    const tx = await db.begin();
    await tx.run(INSERT);
    await db.close({ timeoutMs: 0 });
    for (const [use, call] of Object.entries(USES)) {
      expect(await rejection(call(tx)), use).toBeInstanceOf(MillpondError);
    }
    expect(await scratch.other.value('select count(*)::int from items')).toBe(0);
  });
});

test(
  'each of many requests at once writes in its own transaction, however it gets there (C29)',
  async () => {
    const db = await openPostgresScratch('create table marks (request int, xid text)', { pool: { max: 6 } });
    const request = new AsyncLocalStorage<number>();
    const write = (): Promise<unknown> =>
      db.run('insert into marks values ($1, pg_current_xact_id()::text)', [request.getStore()]);
    const serve = (): Promise<void> =>
      db.transaction(async () => {
        await write();
        await Promise.all([write(), write(), sleep(1).then(write), nextTurn().then(write)]);
        for await (const _ of db.stream('select generate_series(1, 3)')) await write();
        await new Promise((resolve) => setTimeout(() => void write().then(resolve), 1));
        await db.transaction(write, { propagation: 'nested' });
        await new Promise((resolve) => queueMicrotask(() => void write().then(resolve)));
        await write();
      });
    const requests = scaled(60);
    await Promise.all(Array.from({ length: requests }, (_, n) => request.run(n, serve)));
    const mixed = `select (select count(*) from (select xid from marks group by xid having
        count(distinct request) > 1) as x)::int as transactions,
      (select count(*) from (select request from marks group by request having
        count(distinct xid) > 1) as r)::int as requests, count(*)::int as rows from marks`;
    const found = await db.get<{ rows: number }>(mixed);
    expect(found).toEqual({ transactions: 0, requests: 0, rows: requests * 12 });
    console.log(`${found!.rows} statements of ${requests} requests, mixed 0`);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

describe('savepoints inside savepoints (C31)', () => {
  const scratch = postgresScratch('create table steps (n int); create table once (id int primary key)');

  /** Writes, and opens others; what fails is undone with all inside it, and what is around it goes on. */
  async function grow(tx: Transaction, random: () => number, depth: number): Promise<number[]> {
    const kept: number[] = [];
    const steps = 1 + Math.floor(random() * 3);
    for (let step = 0; step < steps; step++) {
      const n = Math.floor(random() * 1e9);
      await tx.run('insert into steps values ($1)', [n]);
      kept.push(n);
      if (depth === 0) continue;
      const name = ['a', 'x"; drop table steps; --', 'ö'.repeat(40), 'commit'][Math.floor(random() * 4)]!;
      let inner: number[] = [];
      const fails = random() < 0.4;
      const part = tx.transaction(
        async (sub) => {
          inner = await grow(sub, random, depth - 1);
          if (fails) await sub.run('insert into once values (null)');
        },
        { name },
      );
      const [end] = await outcomes([part]);
      expect(end instanceof MillpondError, String(end)).toBe(fails);
      if (!fails) kept.push(...inner);
    }
    return kept;
  }

  test(
    'end as a model of them does, with any names',
    async () => {
      const random = randomFrom(seed);
      for (let tree = 0; tree < scaled(8); tree++) {
        await scratch.db.run('delete from steps');
        const kept = await scratch.db.transaction((tx) => grow(tx, random, 4));
        const found = (await scratch.other.arrays('select n from steps order by n')).flat();
        expect(found, `seed ${seed}`).toEqual(kept.toSorted((a, b) => a - b));
      }
    },
    scaledTimeoutMs(),
  );

  test('that was aborted says what did it, not what failed and was undone before', async () => {
    const failing = 'insert into once values (null)';
    for (const undone of [
      (tx: Transaction) => tx.batch([failing]),
      (tx: Transaction) => tx.script(failing),
    ]) {
      const ending = scratch.db.transaction(async (tx) => {
        await rejection(undone(tx));
        await tx.value('select 1');
        await rejection(tx.value('select missing'));
        await rejection(tx.script('select 2'));
        await rejection(tx.batch(['select 2']));
      });
      await expect(ending).rejects.toMatchObject({
        code: 'ERR_MILLPOND_TRANSACTION_ABORTED',
        cause: { sql: 'select missing' },
      });
    }
  });

  test('may be as deep as anybody wants', async () => {
    await scratch.db.run('delete from steps');
    const descend = async (tx: Transaction, depth: number): Promise<void> => {
      await tx.run('insert into steps values ($1)', [depth]);
      if (depth < 300) await tx.transaction((inner) => descend(inner, depth + 1));
      else await tx.run('insert into once values (null)');
    };
    expect(await rejection(scratch.db.transaction((tx) => descend(tx, 0)))).toBeInstanceOf(MillpondError);
    expect(await scratch.other.value('select count(*)::int from steps')).toBe(0);
    expect(await scratch.db.value('select 1')).toBe(1);
  });
});

interface Limit {
  readonly error: string;
  readonly tookMs: number;
}

test('goes on after a first statement whose rows cannot be given, in a transaction', async () => {
  const db = await openPostgresScratch(SCHEMA, { pool: { max: 1 } });
  const twoOfAName = 'select 1 as a, 2 as a';
  // From the third on it is known beforehand.
  for (let round = 1; round <= 5; round += 1) {
    await db.transaction(async (tx) => {
      const [refused, written] = await Promise.allSettled([tx.all(twoOfAName), tx.run(INSERT)]);
      expect(refused).toMatchObject({ reason: { code: 'ERR_MILLPOND_DUPLICATE_COLUMN' } });
      expect(written).toMatchObject({ value: { rowsAffected: 1 } });
      expect(await db.value('select count(*)::int from items')).toBe(round);
    });
  }
  const undone = db.transaction(async (tx) => {
    await Promise.allSettled([tx.all(twoOfAName), tx.run(INSERT)]);
    throw new Error('on purpose');
  });
  await expect(undone).rejects.toThrow('on purpose');
  expect(await db.value('select count(*)::int from items')).toBe(5);
  await expectAtRest(db);
});

test('limits go by the clock that only goes forward, however the wall clock jumps (C48)', async () => {
  const script = new URL('../workers/scripts/clock.ts', import.meta.url);
  const result = await resultOf<{ readonly limits: Record<string, Limit>; readonly shortMs: number }>(
    script,
    {
      preload: 'jumping-clock.ts',
      args: [await sharedPostgresDatabase()],
    },
  );
  expect(result).toMatchObject({ calls: 160, failures: [], alarms: [] });
  for (const { error, tookMs } of Object.values(result.limits)) {
    expect(error).toBe('TimeoutError');
    expect(tookMs).toBeGreaterThan(result.shortMs - 5);
    expect(tookMs).toBeLessThan(result.shortMs + 10_000);
  }
});
