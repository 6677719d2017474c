import { describe, expect, test } from 'vitest';
import { expectAtRest, openScratch, rejection } from '../fixtures/scratch-database.ts';

const SCHEMA = `create table parents (id integer primary key);
  create table children (id integer primary key, parent integer not null references parents on delete cascade);
  insert into parents values (1); insert into children values (1, 1), (2, 1);`;

/** Makes the parents anew, as https://sqlite.org/lang_altertable.html#otheralter prescribes. */
const REBUILD = `create table new_parents (id integer primary key, name text);
  insert into new_parents (id) select id from parents;
  drop table parents;
  alter table new_parents rename to parents;`;

describe.each([
  ['pooled', {}],
  ['on one connection', { pooled: false }],
])('a transaction without foreign keys, %s', (_, options) => {
  test('B16: rebuilds a table and keeps the rows that refer to it', async () => {
    const { db } = await openScratch(SCHEMA, options);
    await db.transaction((tx) => tx.script(REBUILD), { foreignKeys: false });
    expect(await db.value('select count(*) from children')).toBe(2);
    expect(await db.value('pragma foreign_keys')).toBe(1);
    await expect(db.run('insert into children (parent) values (99)')).rejects.toThrow('FOREIGN KEY');
    await db.run('delete from parents');
    expect(await db.value('select count(*) from children')).toBe(0);
    await expectAtRest(db);
  });

  test('checks them again after a rollback, a failed statement, and a limit', async () => {
    const { db } = await openScratch(SCHEMA, options);
    const orphan = 'insert into children (parent) values (99)';
    await rejection(
      db.transaction(
        async (tx) => {
          await tx.run(orphan);
          throw new Error('undone');
        },
        { foreignKeys: false },
      ),
    );
    await expect(db.run(orphan)).rejects.toThrow('FOREIGN KEY');
    await rejection(db.transaction((tx) => tx.run('nonsense'), { foreignKeys: false }));
    await expect(db.run(orphan)).rejects.toThrow('FOREIGN KEY');
    const late = db.transaction(() => new Promise((resolve) => setTimeout(resolve, 200)), {
      foreignKeys: false,
      timeoutMs: 30,
    });
    await expect(late).rejects.toThrow('30 ms');
    await expect(db.run(orphan)).rejects.toThrow('FOREIGN KEY');
    await expectAtRest(db);
  });

  test('is refused as a part of one that checks them', async () => {
    const { db } = await openScratch(SCHEMA, options);
    const inner = () => db.transaction((tx) => tx.run('select 1'), { foreignKeys: false });
    await expect(db.transaction(inner)).rejects.toThrow('checks foreign keys');
    await expectAtRest(db);
  });
});

test('without foreign keys in the configuration nothing is switched on', async () => {
  const { db } = await openScratch(SCHEMA, { sqlite: { foreignKeys: false } });
  await db.transaction((tx) => tx.script(REBUILD), { foreignKeys: false });
  await db.run('insert into children (parent) values (99)');
  await expectAtRest(db);
});
