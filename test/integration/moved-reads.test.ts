import { expect, test } from 'vitest';
import { expectAtRest, openScratch } from '../fixtures/scratch-database.ts';

/** About a second of work, and nothing is known of it before its first run. */
const SLOW = `with recursive n (i) as (select 1 union all select i + 1 from n where i < 6000000)
  select count(*) from n`;

test('reads sent together with a slow one are answered before it, those that ran first included (S1)', async () => {
  const leastLeadMs = async (): Promise<number> => {
    const { db } = await openScratch('create table t (x)');
    await db.json('select 1');
    const endedAt: Record<string, number> = {};
    const read = async (name: string, text: string) => {
      await db.value(text);
      endedAt[name] = performance.now();
    };
    await Promise.all([read('before', 'select 40 + 1'), read('slow', SLOW), read('behind', 'select 40 + 3')]);
    // The one behind. The other too, unless its answer was sent before the slow one began.
    expect(db.stats().sqlite?.movedReads).toBeGreaterThanOrEqual(1);
    await expectAtRest(db);
    return endedAt['slow']! - Math.max(endedAt['before']!, endedAt['behind']!);
  };
  // Not just in the message that brings the slow answer. Again where this thread stood still until then.
  await expect.poll(leastLeadMs).toBeGreaterThan(100);
});

test('reads beside one that is given up are answered all the same (C23)', async () => {
  const { db } = await openScratch('create table t (x)');
  await db.json('select 1');
  const [before, slow, behind] = await Promise.allSettled([
    db.value('select 40 + 1'),
    db.value(SLOW, [], { timeoutMs: 60 }),
    db.value('select 40 + 3'),
  ]);
  expect(before).toEqual({ status: 'fulfilled', value: 41 });
  expect(slow).toMatchObject({ status: 'rejected', reason: { code: 'ERR_MILLPOND_TIMEOUT' } });
  expect(behind).toEqual({ status: 'fulfilled', value: 43 });
  await expectAtRest(db);
});
