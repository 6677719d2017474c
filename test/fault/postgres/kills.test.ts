import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MillpondError, OutcomeUnknownError, type Database } from '../../../src/index.ts';
import { expectAtRest, outcomes, rejection } from '../../fixtures/scratch-database.ts';
import { openPostgresAt } from '../../fixtures/scratch-postgres.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';

const SCHEMA = 'create table t (id bigserial primary key, tag text, part int)';
const PID = 'select pg_backend_pid()';

/** Ends a connection from outside, and waits until it is gone. */
async function kill(admin: Database, pid: number | undefined): Promise<void> {
  await admin.value('select pg_terminate_backend($1::int, 1000)', [pid]);
}

async function countOf(admin: Database, tag: string): Promise<number> {
  return (await admin.value<number>('select count(*)::int from t where tag = $1', [tag]))!;
}

async function openBoth(max = 4): Promise<{ db: Database; admin: Database }> {
  const url = await sharedPostgresDatabase();
  const admin = await openPostgresAt(url, SCHEMA, { pool: { max: 2 } });
  return { admin, db: await openPostgresAt(url, '', { pool: { max, min: 0 } }) };
}

test(
  'a connection killed at any point of a transaction leaves all of it or nothing (C37)',
  async () => {
    const { db, admin } = await openBoth();
    const random = randomFrom(seed);
    const kills = scaled(40);
    const counts = { committed: 0, rejected: 0, unknown: 0 };
    for (let round = 0; round < kills; round++) {
      const tag = `round ${round}`;
      const killAt = Math.floor(random() * 5);
      const work = db.transaction(async (tx) => {
        const pid = await tx.value<number>(PID);
        for (let part = 0; part < 3; part++) {
          // Before, between and during statements; the last one is on its way together with COMMIT.
          if (killAt === part) await kill(admin, pid);
          if (killAt === 3 && part === 2) void kill(admin, pid);
          await tx.run('insert into t (tag, part) values ($1, $2)', [tag, part]);
        }
        if (killAt === 4) void kill(admin, pid);
      });
      const [end] = await outcomes([work]);
      await sleep(5);
      const rows = await countOf(admin, tag);
      const outcome = outcomeOf(end);
      counts[outcome]++;
      const allowed = { committed: [3], rejected: [0], unknown: [0, 3] }[outcome];
      expect(allowed, `seed ${seed}, round ${round}: ${String(end)}`).toContain(rows);
    }
    console.log(`${kills} kills: ${JSON.stringify(counts)}, escaped 0 (seed ${seed})`);
    expect(counts.rejected).toBeGreaterThan(0);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

test(
  'statements that are under way, queued or idle when theirs is killed settle, and the pool goes on (C37)',
  async () => {
    const { db, admin } = await openBoth(3);
    const rounds = scaled(10);
    let settled = 0;
    for (let round = 0; round < rounds; round++) {
      const calls = outcomes([
        ...Array.from({ length: 8 }, () => db.value('select pg_sleep(0.02)')),
        ...Array.from({ length: 20 }, () => db.value('select 1')),
      ]);
      await sleep(5);
      await admin.all(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
        and query not like '%pg_terminate%'`);
      settled += (await calls).length;
      expect(await db.value('select 1').catch(() => db.value('select 1'))).toBe(1);
    }
    expect(settled).toBe(rounds * 28);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

test(
  'a transaction that lost its connection never writes again, nor into another one (C38)',
  async () => {
    const { db, admin } = await openBoth(1);
    const rounds = scaled(20);
    for (let round = 0; round < rounds; round++) {
      const [dead, live] = [`dead ${round}`, `live ${round}`];
      await using first = await db.begin();
      const pid = await first.value<number>(PID);
      await first.run('insert into t (tag) values ($1)', [dead]);
      await kill(admin, pid);
      // The first notices with its next call at the latest; its slot goes to the second.
      expect(await rejection(first.run('insert into t (tag) values ($1)', [dead]))).toBeInstanceOf(
        MillpondError,
      );
      await using second = await db.begin();
      await second.run('insert into t (tag) values ($1)', [live]);
      for (let late = 0; late < 3; late++) {
        expect(await rejection(first.run('insert into t (tag) values ($1)', [dead]))).toBeInstanceOf(
          MillpondError,
        );
      }
      expect(await rejection(first.commit())).toBeInstanceOf(MillpondError);
      await (round % 2 === 0 ? second.commit() : second.rollback());
      expect([await countOf(admin, dead), await countOf(admin, live)]).toEqual([0, round % 2 === 0 ? 1 : 0]);
    }
    console.log(`${rounds} dead transactions, mixed 0`);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

test(
  'a BEGIN that meets a dead connection frees its slot (C34)',
  async () => {
    const { db, admin } = await openBoth(2);
    const rounds = scaled(20);
    let failed = 0;
    for (let round = 0; round < rounds; round++) {
      const pids = await Promise.all([db.value<number>(PID), db.value<number>(PID)]);
      const killing = Promise.all(pids.map((pid) => kill(admin, pid)));
      const begun = Array.from({ length: 4 }, () => db.transaction(async (tx) => tx.value('select 1')));
      failed += (await outcomes(begun)).filter((one) => one instanceof Error).length;
      await killing;
      expect(db.stats().pool.leased).toBe(0);
    }
    console.log(`${rounds * 4} transactions beside kills, ${failed} failed, borrowed 0`);
    await expectAtRest(db);
  },
  scaledTimeoutMs(),
);

function outcomeOf(end: unknown): 'committed' | 'rejected' | 'unknown' {
  if (end instanceof OutcomeUnknownError) return 'unknown';
  return end instanceof Error ? 'rejected' : 'committed';
}
