import { expect, test } from 'vitest';
import { expectAtRest, openScratch } from '../fixtures/scratch-database.ts';

test.each([
  ['a write', 'insert into t values (?)'],
  ['a read', 'select ?'],
])('%s that is refused before it is sent gives back the connection it was to run on (B11)', async (_, text) => {
  const { db } = await openScratch('create table t (x)');
  for (let round = 0; round < 3; round += 1) {
    await expect(db.run(text, [NaN])).rejects.toMatchObject({ code: 'ERR_MILLPOND_VALUE' });
    await expectAtRest(db);
  }
});

test('a batch with one value that cannot be bound leaves its texts usable', async () => {
  const { db } = await openScratch('create table t (x)');
  const refused = db.batch([['select 1 as a', []], ['select ? as b', [NaN]]]);
  await expect(refused).rejects.toMatchObject({ code: 'ERR_MILLPOND_VALUE' });
  const results = await db.batch([['select 1 as a', []], ['select ? as b', [2]]]);
  expect(results.map(({ rows }) => rows)).toEqual([[{ a: 1 }], [{ b: 2 }]]);
});
