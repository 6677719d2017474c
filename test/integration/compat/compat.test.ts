import Sqlite from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { compat } from '../../../src/compat/index.ts';
import { UsageError } from '../../../src/index.ts';
import { expectAtRest, scratchForAll } from '../../fixtures/scratch-database.ts';

const SCHEMA = `create table users (id integer primary key, name text not null, age int);
  insert into users values (1, 'Ada', 36), (2, 'Bob', 40);`;
const scratch = scratchForAll(SCHEMA);

/** The same calls on better-sqlite3 itself, whose answers are the ones that count. */
function original(): Sqlite.Database {
  const db = new Sqlite(':memory:');
  db.exec(SCHEMA);
  return db;
}

interface Shape {
  readonly sql: string;
  readonly args: readonly unknown[];
  readonly form?: 'raw' | 'pluck';
}

const READS: readonly Shape[] = [
  { sql: 'select * from users order by id', args: [] },
  { sql: 'select * from users where id = ?', args: [2] },
  { sql: 'select * from users where id = ? and age > ?', args: [2, 30] },
  { sql: 'select * from users where id = ? and age > ?', args: [[2, 30]] },
  { sql: 'select * from users where id = ? and age > ?', args: [[2], 30] },
  { sql: 'select * from users where id = :id', args: [{ id: 1 }] },
  { sql: 'select * from users where id = 99', args: [] },
  { sql: 'select name, age, name from users order by id', args: [], form: 'raw' },
  { sql: 'select name, age from users order by id', args: [], form: 'pluck' },
  { sql: 'select name from users where id = 99', args: [], form: 'pluck' },
  { sql: 'select hex(?) as bytes, ? as none', args: [Buffer.from('x'), null], form: 'raw' },
];

test('get, all and iterate answer as better-sqlite3 does, once awaited (T6)', async () => {
  const [theirs, ours] = [original(), compat(scratch.db)];
  for (const { sql, args, form } of READS) {
    const [their, our] = [theirs.prepare(sql), ours.prepare(sql)];
    if (form !== undefined) {
      their[form]();
      our[form]();
    }
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify([value]));
    expect(plain(await our.get(...args)), sql).toEqual(plain(their.get(...args)));
    expect(plain(await our.all(...args)), sql).toEqual(plain(their.all(...args)));
    const rows: unknown[] = [];
    for await (const row of our.iterate(...args)) rows.push(row);
    expect(plain(rows), sql).toEqual(plain([...their.iterate(...args)]));
  }
  theirs.close();
  await expectAtRest(scratch.db);
});

test('run reports changes and the last rowid, and `raw` and `pluck` can be taken back (T6)', async () => {
  const db = compat(scratch.db);
  const insert = db.prepare('insert into users (name, age) values (:name, :age)');
  const { changes, lastInsertRowid } = await insert.run({ name: 'Eve', age: 5 });
  expect([changes, Number(lastInsertRowid) > 2]).toEqual([1, true]);
  expect(await db.prepare('delete from users where age = ?').run(5)).toMatchObject({ changes: 1 });
  const one = db.prepare('select name from users where id = 1').pluck().raw();
  expect(await one.get()).toEqual(['Ada']);
  expect(await one.pluck(false).get()).toEqual(['Ada']);
  expect(await one.raw(false).get()).toEqual({ name: 'Ada' });
});

test('parameters are bound once with `bind`, and names and values are not mixed (T6)', async () => {
  const db = compat(scratch.db);
  const bound = db.prepare('select name from users where id = ?').pluck().bind(1);
  expect(await bound.get()).toBe('Ada');
  await expect(bound.get(2)).rejects.toThrow('already has its parameters');
  expect(() => bound.bind(2)).toThrow(UsageError);
  await expect(db.prepare('select :a, ?').get({ a: 1 }, 2)).rejects.toThrow('not both');
  expect(() => db.prepare(7 as never)).toThrow(UsageError);
  expect(() => db.transaction(7 as never)).toThrow(UsageError);
});

test('a transaction commits, rolls back, and is a savepoint inside another (T6)', async () => {
  const db = compat(scratch.db);
  const count = () => db.prepare('select count(*) from users').pluck().get();
  const insert = db.transaction(async function insert(name: string, fails: boolean) {
    await db.prepare('insert into users (name) values (?)').run(name);
    expect(db.inTransaction).toBe(true);
    if (fails) throw new Error('undone');
    return name;
  });
  const before = (await count()) as number;
  expect(await insert('a', false)).toBe('a');
  await expect(insert.immediate('b', true)).rejects.toThrow('undone');
  const outer = db.transaction(async () => {
    await insert('c', false);
    await insert('d', true).catch(() => undefined);
  });
  await outer.exclusive();
  expect([await count(), db.inTransaction]).toEqual([before + 2, false]);
  const place = {
    name: 'e',
    add: db.transaction(async function add(this: { name: string }) {
      return this.name;
    }),
  };
  expect(await place.add()).toBe('e');
  await expectAtRest(scratch.db);
});

test('exec, pragma, columns, backup and close do what their names say (T6)', async () => {
  const db = compat(scratch.db);
  expect(await db.exec('create table more (id integer); insert into more values (1), (2)')).toBe(db);
  await db.pragma('user_version = 7');
  expect(await db.pragma('user_version', { simple: true })).toBe(7);
  expect(await db.pragma('table_info(more)')).toMatchObject([{ name: 'id' }]);
  const columns = await db.prepare('select id as number from more').columns();
  expect(columns).toMatchObject([{ name: 'number', table: 'more', column: 'id' }]);
  const copy = join(dirname(scratch.path), 'copy.db');
  await db.backup(copy);
  expect([existsSync(copy), db.name]).toEqual([true, scratch.db.name]);
  await expect(db.prepare('select * from nowhere').all()).rejects.toThrow('nowhere');
  await expectAtRest(scratch.db);
});
