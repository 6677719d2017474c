import { describe, expect, test } from 'vitest';
import { createCache } from '../../../src/cache/index.ts';
import { openDatabase } from '../../../src/index.ts';
import { bindQueries, loadQueries } from '../../../src/queries/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';
import { openScratch } from '../../fixtures/scratch-database.ts';
import { describeRoundTrips } from './round-trips.ts';
import { testScriptChanges } from './script-changes.ts';

describeRoundTrips('SQLite', () => openDatabase({ url: 'sqlite::memory:', name: false, log: 'silent' }));
testScriptChanges(async () => (await openScratch('')).db);

const source = (text: string) => [{ file: 'a.sql', folders: [], text }];

describe('on SQLite', () => {
  test('J8: <! without RETURNING gives the rowid of the inserted row', async () => {
    const { db } = await openScratch('create table a (id integer primary key, b)');
    const queries = bindQueries(db, source('-- name: add<!\ninsert into a (b) values (:b)'));
    expect(await queries['add']!({ b: 'x' })).toBe(1);
    expect(await queries['add']!({ b: 'x' })).toBe(2);
  });

  test('a ? is refused with its place, unless the query is for PostgreSQL', async () => {
    const { db } = await openScratch('create table a (b)');
    const text = '-- name: c\nselect * from a where b = ? and b = :b';
    expect(() => bindQueries(db, source(text))).toThrow(/^a.sql:2:27: On SQLite a \? is a placeholder/);
    expect(bindQueries(db, source(text.replace('\n', '\n-- dialect: postgres\n')))['c']).toBeTypeOf(
      'function',
    );
  });

  test('a limit of the file stops the query, and one of the call comes before it', async () => {
    const { db } = await openScratch('create table a (b)');
    const endless = 'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c';
    const queries = bindQueries(
      db,
      source(`-- name: endless$\n-- timeout: 60s\n${endless}\n-- name: short$\n-- timeout: 50ms\n${endless}`),
    );
    await expect(queries['short']!()).rejects.toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT', timeoutMs: 50 });
    await expect(queries['endless']!({}, { timeoutMs: 60 })).rejects.toMatchObject({ timeoutMs: 60 });
  });

  test('a query with a time to live is answered from the cache, until its table or its tag changes', async () => {
    const { db } = await openScratch('create table a (b); insert into a values (1)');
    await using cache = createCache(db);
    const text = `-- name: count$
-- cache: 1h
-- tags: x
select count(*) from a where b >= :b
-- name: add!
insert into a values (:b)
-- name: touch!
-- tags: x, y
update a set b = b where 0`;
    const queries = bindQueries(db, source(text), { cache });
    const count = async () => [await queries['count']!({ b: 1 }), cache.stats().hits];
    expect(await count()).toEqual([1, 0]);
    expect(await count()).toEqual([1, 1]);
    await queries['add']!({ b: 2 });
    expect(await count()).toEqual([2, 1]);
    expect(await count()).toEqual([2, 2]);
    await queries['touch']!();
    expect(await count()).toEqual([2, 2]);
    expect(await queries['count']!({ b: 2 })).toBe(1);
    expect(await bindQueries(db, source(text))['count']!({ b: 2 })).toBe(1);
  });

  test('J12: init.sql creates the first tables, once, and only in an empty database', async () => {
    const { db } = await openScratch('select 1');
    const folder = await folderWith({
      'init.sql': 'create table a (b); insert into a values (1);',
      'x/y.sql': '-- name: count$\nselect count(*) from a',
    });
    expect((await loadQueries(db, folder, { init: false }))['x']!['count']).toBeTypeOf('function');
    expect(await db.value("select count(*) from sqlite_schema where name = 'a'")).toBe(0);
    const [one, two] = await Promise.all([loadQueries(db, folder), loadQueries(db, folder)]);
    expect([await one['x']!['count']!(), await two['x']!['count']!()]).toEqual([1, 1]);
  });

  test('C55: faults of the files are told before anything runs', async () => {
    const { db } = await openScratch('select 1');
    const folder = await folderWith({ 'init.sql': 'create table a (b)', 'y.sql': '-- name: a%\nselect 1' });
    await expect(loadQueries(db, folder)).rejects.toMatchObject({
      code: 'ERR_MILLPOND_SQL_FILE',
      line: 1,
      column: 11,
    });
    expect(await db.value('select count(*) from sqlite_schema')).toBe(0);
  });
});
