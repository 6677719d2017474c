import { beforeEach, expect, test, vi } from 'vitest';
import type * as Interrupt from '../../../src/sqlite/interrupt.ts';
import { expectAtRest, openScratch } from '../../fixtures/scratch-database.ts';

/*
 * SQLite forgets an interrupt that comes before the statement's first step, when the worker has said already that it
 * runs: https://sqlite.org/c3ref/interrupt.html
 */

const state = vi.hoisted(() => ({ lost: 0, sent: 0 }));

vi.mock('../../../src/sqlite/interrupt.ts', async (importOriginal) => {
  const original = await importOriginal<typeof Interrupt>();
  const loadInterrupter = () => {
    const interrupter = original.loadInterrupter()!;
    return {
      ...interrupter,
      interrupt: (key: number) => (++state.sent > state.lost ? interrupter.interrupt(key) : true),
    };
  };
  return { ...original, loadInterrupter };
});

/** Half a minute of work, and nothing is known of it before its first run. */
const SLOW = `with recursive n (i) as (select 1 union all select i + 1 from n where i < 200000000)
  select count(*) from n`;

beforeEach(() => {
  state.sent = 0;
});

test('an interrupt that comes too early is repeated: the thread does not run on (B9, C42)', async () => {
  const { db } = await openScratch('create table t (x)', { cancelGraceMs: 30_000 });
  await db.json('select 1');
  const { created } = db.stats().pool;
  state.lost = 3;
  for (const call of [
    () => db.value(SLOW, [], { timeoutMs: 40 }),
    () => db.run(`insert into t ${SLOW}`, [], { timeoutMs: 40 }),
    () => db.transaction(async (tx) => tx.value(SLOW), { timeoutMs: 40 }),
  ]) {
    const begun = performance.now();
    await expect(call()).rejects.toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT' });
    // Seconds before the statement would have ended, and before its grace was over.
    expect(performance.now() - begun).toBeLessThan(9_000);
    state.sent = 0;
  }
  await expectAtRest(db);
  expect(await db.value('select count(*) from t')).toBe(0);
  expect(db.stats().pool.created - created).toBeLessThanOrEqual(2);
});

test('a reader that no interrupt reaches is given up, and those behind are answered elsewhere (B11, C23)', async () => {
  const { db } = await openScratch('create table t (x)', { cancelGraceMs: 50 });
  await db.json('select 1');
  state.lost = Infinity;
  const begun = performance.now();
  const [slow, behind] = await Promise.allSettled([
    db.value(SLOW, [], { timeoutMs: 15 }),
    db.json('select 40 + 3 as n'),
  ]);
  expect(slow).toMatchObject({ status: 'rejected', reason: { code: 'ERR_MILLPOND_TIMEOUT' } });
  expect(behind).toMatchObject({ status: 'fulfilled' });
  await vi.waitUntil(() => db.stats().pool.leased === 0, { timeout: 20_000 });
  // While the statement goes on, in a thread that is nobody's.
  expect(performance.now() - begun).toBeLessThan(9_000);
  await expectAtRest(db);
  // Now the thread may end.
  state.lost = 0;
});
