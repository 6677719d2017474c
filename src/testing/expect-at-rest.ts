import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/index.ts';

/**
 * Leases that many callers share go back a moment after the last answer, and that of a write that nothing can
 * stop when it ends.
 */
const AT_REST_WITHIN_MS = 6_000;
const LOOK_EVERY_MS = 2;

/**
 * For the end of a test: checks that nothing is leased, nobody waits, no transaction is open, every
 * transaction was counted once, and the next call works.
 * @throws AssertionError naming the leases that are out
 */
export async function expectAtRest(db: Database): Promise<void> {
  await settle(db);
  const { leased, waiting, active } = underWay(db);
  const holders = db.leases().map(({ holder, takenAt }) => holder || takenAt);
  assert.deepEqual({ leased, waiting, active, holders }, { leased: 0, waiting: 0, active: 0, holders: [] });
  const { started, committed, rolledBack, unknown } = db.stats().transactions;
  assert.equal(started, committed + rolledBack + unknown, 'transactions began and never ended');
  assert.equal(await db.value('select 1'), 1);
  await settle(db);
}

async function settle(db: Database): Promise<void> {
  const deadline = performance.now() + AT_REST_WITHIN_MS;
  while (performance.now() < deadline && Object.values(underWay(db)).some((count) => count > 0)) {
    await sleep(LOOK_EVERY_MS);
  }
}

function underWay(db: Database): {
  readonly leased: number;
  readonly waiting: number;
  readonly active: number;
} {
  const { pool, transactions } = db.stats();
  return { leased: pool.leased, waiting: pool.waiting, active: transactions.active };
}
