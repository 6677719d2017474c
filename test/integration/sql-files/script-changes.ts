import { expect, test } from 'vitest';
import type { Database } from '../../../src/index.ts';
import { loadQueries } from '../../../src/queries/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';

const SQL = `-- name: clear#
delete from one_t; -- not two_t;
insert into two_t (id) values (1);
-- name: twice#
insert into two_t (id) values (5); insert into two_t (id) values (5);
-- name: make#
create table three_t (id int); insert into three_t values (1);
-- name: mixed#
insert into two_t (id) values (9); create table four_t (id int);`;

type Scripts = Record<'clear' | 'twice' | 'make' | 'mixed', () => Promise<void>>;

/** Which tables a script says that it changed. */
export function testScriptChanges(open: () => Promise<Database>): void {
  test('X4: a script that only writes rows says whose, one that does more says that anything may be changed', async () => {
    const db = await open();
    await db.script('create table one_t (id int); create table two_t (id int primary key)');
    const queries = (await loadQueries(db, await folderWith({ 'a.sql': SQL }))) as unknown as Scripts;
    const changes: (readonly string[] | undefined)[] = [];
    db.on('data:change', ({ tables }) => changes.push(tables?.toSorted()));
    await queries.clear();
    expect(changes.splice(0)).toEqual([['one_t', 'two_t']]);
    await expect(queries.twice()).rejects.toMatchObject({ kind: 'unique' });
    expect(await db.all('select id from two_t')).toEqual([{ id: 1 }]);
    await queries.make();
    await queries.mixed();
    expect(changes.splice(0)).toEqual([undefined, undefined]);
    await db.transaction(async () => {
      await db.run('insert into two_t (id) values (7)');
      await expect(queries.twice()).rejects.toMatchObject({ kind: 'unique' });
    });
    expect(await db.all('select id from two_t order by id')).toEqual([{ id: 1 }, { id: 7 }, { id: 9 }]);
  });
}
