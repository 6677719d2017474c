import { expect, test } from 'vitest';
import { openDatabase } from '../../src/index.ts';
import { expectAtRest, openScratch } from '../fixtures/scratch-database.ts';

test('what another process writes is announced, what this one writes is not taken for it (X4, B15)', async () => {
  const { db, path } = await openScratch('create table t (x)');
  const told: unknown[] = [];
  db.on('data:change', ({ tables, source }) => told.push([tables, source]));
  await db.run('insert into t values (1)');
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(told).toEqual([[['t'], 'local']]);
  // A second database on the file knows nothing of the first, as another process would.
  const other = await openDatabase({ url: `sqlite:${path}`, name: false, log: 'silent' });
  await other.run('insert into t values (2)');
  await other.close();
  await expect.poll(() => told).toContainEqual([undefined, 'foreign']);
  await expectAtRest(db);
});

test('triggers, views and cascades name their tables (X4)', async () => {
  const { db } = await openScratch(`
    create table t (id integer primary key, x);
    create table part (id integer primary key, t_id integer references t (id) on delete cascade);
    create table log (x);
    create trigger logged after insert on t begin insert into log values (new.x); end;
    create view wide as select t.x, part.id from t join part on part.t_id = t.id;
  `);
  const told: (string[] | undefined)[] = [];
  db.on('data:change', ({ tables }) => told.push(tables?.toSorted()));
  await db.run('insert into t (x) values (1)');
  await db.run('delete from t where id = 1');
  expect(told).toEqual([
    ['log', 't'],
    ['part', 't'],
  ]);
  expect((await db.describe('select * from wide')).tablesRead.toSorted()).toEqual(['part', 't', 'wide']);
  await expectAtRest(db);
});
