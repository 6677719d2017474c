import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { TimeoutError, type Transaction } from '../../../src/index.ts';
import { expectAtRest } from '../../../src/testing/index.ts';
import { backendOf, postgresScratch } from '../../fixtures/postgres-database.ts';
import { scaled } from '../../fixtures/scale.ts';

const SCHEMA = `create table counted (id int primary key, n int not null default 0);
  insert into counted select i, 0 from generate_series(1, 50) i;`;
const ACTIVE = `select count(*) from pg_stat_activity
  where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid() and backend_type = 'client backend'`;

describe('a cancellation', () => {
  const scratch = postgresScratch(SCHEMA, { pool: { max: 4 }, cancelGraceMs: 2_000 });

  test('never hits a statement that it was not meant for, also when it comes late (C42)', async () => {
    const { db } = scratch;
    let going = true;
    let answered = 0;
    const neighbour = async (work: () => Promise<unknown>) => {
      for (; going; answered += 1) await work();
    };
    const neighbours = [
      neighbour(() => db.value('select 40 + 2')),
      neighbour(() => db.run('update counted set n = n + 1 where id = 1')),
      neighbour(() => db.transaction((tx) => tx.value('select n from counted where id = 2 for update'))),
      neighbour(async () => {
        await using lease = await db.acquire();
        await Promise.all([lease.connection.value('select 1'), lease.connection.value('select 2')]);
      }),
    ];
    let stopped = 0;
    for (let round = 0; round < scaled(150); round += 1) {
      // Ends at about the time of its limit: the request may arrive before, at, or after the end.
      const ms = 3 + (round % 4);
      const outcome = await db
        .value(`select 1 from pg_sleep(${ms / 1_000})`, [], { timeoutMs: 4 })
        .catch((error: unknown) => error);
      if (outcome instanceof TimeoutError) stopped += 1;
      else if (outcome !== 1) throw outcome;
    }
    going = false;
    await Promise.all(neighbours);
    expect(stopped).toBeGreaterThan(0);
    expect(answered).toBeGreaterThan(50);
    await expectAtRest(db);
  });

  test('of one call on a lease leaves those sent behind it (C42)', async () => {
    const { db } = scratch;
    await using lease = await db.acquire();
    for (let round = 0; round < scaled(15); round += 1) {
      const slow = lease.connection.value('select 1 from pg_sleep(2)', [], { timeoutMs: 10 });
      const behind = [1, 2, 3].map((n) => lease.connection.value<number>(`select ${n} from pg_sleep(0.001)`));
      await expect(slow).rejects.toBeInstanceOf(TimeoutError);
      expect(await Promise.all(behind)).toEqual([1, 2, 3]);
    }
  });

  test('of a statement behind a slow one leaves the slow one its time', async () => {
    const { db } = scratch;
    await using lease = await db.acquire();
    const slow = lease.connection.value('select 1 from pg_sleep(3.4)');
    const behind = lease.connection.value('select 2', [], { timeoutMs: 20 });
    await expect(behind).rejects.toBeInstanceOf(TimeoutError);
    expect(await slow).toBe(1);
    expect(await lease.connection.value('select 3')).toBe(3);
  });

  test('ends the wait for a row lock, and the server no longer waits (C27)', async () => {
    const { db, other } = scratch;
    const holder = await other.begin();
    await holder.run('update counted set n = -1 where id = 7');
    const waiting = ['run', 'transaction', 'lease'].map(async (how) => {
      const text = 'update counted set n = 99 where id = 7';
      const options = { timeoutMs: 120 };
      if (how === 'run') return db.run(text, [], options);
      if (how === 'transaction') return db.transaction((tx) => tx.run(text), options);
      await using lease = await db.acquire();
      return await lease.connection.run(text, [], options);
    });
    for (const outcome of await Promise.allSettled(waiting)) {
      expect(outcome.status === 'rejected' && (outcome.reason as TimeoutError).rollback).toBe('confirmed');
    }
    // The holder alone is in a transaction; nobody waits.
    expect(await other.value(ACTIVE)).toBe(1);
    await holder.rollback();
    await sleep(20);
    expect(await other.value('select n from counted where id = 7')).toBe(0);
  });

  test('of a transaction while its function sleeps leaves no session in it (C27, B9)', async () => {
    const { db, other } = scratch;
    const [told, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const sleeping = async (tx: Transaction): Promise<void> => {
      try {
        await tx.run('update counted set n = 5 where id = 9');
        await told.promise;
        await tx.run('update counted set n = 6 where id = 9').catch(() => undefined);
      } finally {
        ended.resolve();
      }
    };
    const work = db.transaction(sleeping, { timeoutMs: 150 });
    await expect(work).rejects.toMatchObject({ rollback: 'confirmed' });
    expect(await other.value(ACTIVE)).toBe(0);
    told.resolve();
    await ended.promise;
    expect(await other.value('select n from counted where id = 9')).toBe(0);
  });

  test('of the whole group of writes lets the others be written (B4)', async () => {
    const { db, other } = scratch;
    const update = (id: number, timeoutMs: number) =>
      db.run('update counted set n = n + 1 where id = $1', [id], { timeoutMs });
    for (let round = 0; round < 4; round += 1) await update(20, 20_000);
    const holder = await other.begin();
    await holder.run('update counted set n = n where id = 21');
    const blocked = update(21, 30);
    const others = [22, 23, 24, 25].map((id) => update(id, 20_000));
    await expect(blocked).rejects.toBeInstanceOf(TimeoutError);
    await Promise.all(others);
    await holder.rollback();
    const rows = await other.arrays('select n from counted where id between 21 and 25 order by id');
    expect(rows.flat()).toEqual([0, 1, 1, 1, 1]);
  });

  test('keeps to the server’s own limit where the client has none any more (B9)', async () => {
    const { db } = scratch;
    await using lease = await db.acquire();
    const limit = await lease.connection.value<string>("select current_setting('statement_timeout')");
    expect(limit).not.toBe('0');
    // A call that may take longer lifts it, for itself alone.
    const lifted = await lease.connection.value("select current_setting('statement_timeout')", [], {
      timeoutMs: 100_000,
    });
    expect(lifted).not.toBe(limit);
    expect(await lease.connection.value("select current_setting('statement_timeout')")).toBe(limit);
    expect(await backendOf(lease.connection)).toBeGreaterThan(0);
  });
});
