import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { TimeoutError, type Database, type Transaction } from '../../../src/index.ts';
import { expectAtRest, outcomes, rejection } from '../../fixtures/scratch-database.ts';
import { openPostgresAt } from '../../fixtures/scratch-postgres.ts';
import { scaled, scaledTimeoutMs } from '../../fixtures/scale.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';

const SCHEMA = 'create table t (id int primary key, tag text); insert into t values (0, null)';
const LIMIT_MS = 60;

/** What a transaction does while its time runs out. */
const WAYS: Readonly<Record<string, (tx: Transaction) => Promise<unknown>>> = {
  'idle in its function': () => new Promise(() => undefined),
  'inside a statement': (tx) => tx.value('select pg_sleep(5)'),
  'waiting for a row lock': (tx) => tx.run("update t set tag = 'locked' where id = 0"),
  'swallowing its errors and writing on': async (tx) => {
    for (let id = 1; id < 40; id++) {
      await tx.run('insert into t values ($1, $2)', [1_000 + id, 'swallowed']).catch(() => undefined);
      await sleep(5);
    }
  },
};

/** Sessions of the database, other than the asking one, that are in a transaction or hold a row lock. */
const LEFT = `select count(*)::int from pg_stat_activity where datname = current_database()
  and pid <> pg_backend_pid() and (state like 'idle in transaction%' or (state = 'active' and query like '%pg_sleep(5)%'))`;

describe('a timed out transaction is rolled back before its caller is told (C27, B9)', () => {
  test.each(Object.entries(WAYS))(
    '%s',
    async (way, work) => {
      const url = await sharedPostgresDatabase();
      const db = await openPostgresAt(url, SCHEMA, { pool: { max: 4 }, cancelGraceMs: 2_000 });
      const admin = await openPostgresAt(url, '', { pool: { max: 2 } });
      const rounds = scaled(6);
      let longestMs = 0;
      for (let round = 1; round <= rounds; round++) {
        await using holder = way.includes('lock') ? await lockRow(admin) : undefined;
        const begun = performance.now();
        const error = await rejection(
          db.transaction(
            async (tx) => {
              await tx.run('insert into t values ($1, $2)', [round, way]);
              await work(tx);
            },
            { timeoutMs: LIMIT_MS },
          ),
        );
        longestMs = Math.max(longestMs, performance.now() - begun);
        expect(error).toBeInstanceOf(TimeoutError);
        expect(error).toMatchObject({ rollback: 'confirmed' });
        expect(await admin.value(LEFT)).toBe(holder === undefined ? 0 : 1);
        await holder?.rollback();
      }
      await sleep(LIMIT_MS);
      expect(await admin.value('select count(*)::int from t where tag is not null')).toBe(0);
      console.log(
        `${way}: ${rounds} timeouts at ${LIMIT_MS} ms, p100 ${longestMs.toFixed(0)} ms, later commits 0`,
      );
      await expectAtRest(db);
    },
    scaledTimeoutMs(),
  );
});

async function lockRow(admin: Database): Promise<Transaction> {
  const holder = await admin.begin();
  await holder.all('select * from t where id = 0 for update');
  return holder;
}

test(
  'a statement past its limit leaves no trace, and its connection serves the next caller (C27, C42)',
  async () => {
    const db = await openPostgresAt(await sharedPostgresDatabase(), SCHEMA, {
      pool: { max: 2 },
      cancelGraceMs: 2_000,
    });
    const rounds = scaled(15);
    for (let round = 1; round <= rounds; round++) {
      const slow = 'insert into t select $1, pg_sleep(5)::text';
      const calls = await outcomes([
        db.run(slow, [round], { timeoutMs: 30 }),
        ...Array.from({ length: 20 }, (_, n) => db.value('select $1::int', [n])),
      ]);
      expect(calls[0]).toBeInstanceOf(TimeoutError);
      expect(calls.slice(1)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    }
    expect(await db.value('select count(*)::int from t')).toBe(1);
    console.log(`${rounds} cancels beside ${rounds * 20} innocent statements, hit 0`);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

test(
  'in N transactions that each ask for a second connection of N, nobody waits for ever (C33)',
  async () => {
    const pool = { max: 3, acquireTimeoutMs: 300 };
    const db = await openPostgresAt(await sharedPostgresDatabase(), SCHEMA, { pool });
    const rounds = scaled(10);
    let refused = 0;
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now();
      const needy = Array.from({ length: 3 }, () =>
        db.transaction(async (tx) => {
          await tx.value('select 1');
          // The same flow joins; what steps out on purpose must be refused, not starved.
          expect(await db.value('select 2')).toBe(2);
          await using second = await db.acquire();
          return second.connection.value('select 3');
        }),
      );
      refused += (await outcomes(needy)).filter((one) => one instanceof Error).length;
      expect(performance.now() - begun).toBeLessThan(pool.acquireTimeoutMs + 8_000);
    }
    console.log(
      `${rounds * 3} transactions wanted a second connection, ${refused} were refused, deadlocks 0`,
    );
    expect(refused).toBeGreaterThan(0);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

test(
  'a transaction whose failed statement was swallowed does not resolve (C32)',
  async () => {
    const db = await openPostgresAt(
      await sharedPostgresDatabase(),
      `${SCHEMA};
    create table d (id int unique deferrable initially deferred)`,
    );
    const rounds = scaled(10);
    for (let round = 1; round <= rounds; round++) {
      const swallowed = db.transaction(async (tx) => {
        await tx.run('insert into t values ($1)', [round]);
        await tx.run('insert into t values ($1)', [round]).catch(() => undefined);
      });
      expect(await rejection(swallowed)).toMatchObject({ code: 'ERR_MILLPOND_TRANSACTION_ABORTED' });
      const deferred = db.transaction(async (tx) => {
        await tx.run('insert into d values (1)');
        await tx.run('insert into d values (1)');
      });
      expect(await rejection(deferred)).toMatchObject({ code: 'ERR_MILLPOND_CONSTRAINT' });
    }
    expect(await db.value('select (select count(*) from t)::int + (select count(*) from d)::int')).toBe(1);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

test(
  'of statements side by side in a transaction one of which fails, none is kept (C30)',
  async () => {
    const db = await openPostgresAt(await sharedPostgresDatabase(), SCHEMA);
    const rounds = scaled(20);
    for (let round = 0; round < rounds; round++) {
      const error = await rejection(
        db.transaction(async (tx) => {
          const writes = Array.from({ length: 10 }, (_, n) =>
            tx.run('insert into t values ($1, $2)', [n === 5 ? 0 : 10_000 + round * 10 + n, 'side by side']),
          );
          await Promise.all(writes);
        }),
      );
      expect(error).toMatchObject({ code: 'ERR_MILLPOND_CONSTRAINT' });
    }
    expect(await db.value("select count(*)::int from t where tag = 'side by side'")).toBe(0);
    console.log(`${rounds} rejections with siblings under way, leftovers 0`);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);
