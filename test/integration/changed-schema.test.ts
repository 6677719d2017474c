import { expect, test } from 'vitest';
import { expectAtRest, openScratch } from '../fixtures/scratch-database.ts';

test('a statement is judged by the schema as it is, not as this thread last saw it', async () => {
  const { db } = await openScratch('create table t (a, b, c)');
  // What the calling thread knows of the table from here on.
  await db.run('insert into t values (1, 2, 3)');
  await db.run('alter table t add column d');
  const added = await db.get('insert into t values (1, 2, 3, 4) returning d');
  expect(added).toEqual({ d: 4 });
  await expect(db.run('insert into t values (1, 2, 3)')).rejects.toThrow('has 4 columns but 3 values');
  await expectAtRest(db);
});
