import { eq, sql } from 'drizzle-orm';
import * as pg from 'drizzle-orm/pg-core';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { describe, expect, test } from 'vitest';
import { drizzle, repository } from '../../../src/drizzle/index.ts';
import { UsageError } from '../../../src/index.ts';
import { openScratch } from '../../fixtures/scratch-database.ts';
import { drizzleSuite } from './drizzle-suite.ts';
import { DDL, schema, users } from './sqlite-schema.ts';
import { openSqliteStage } from './sqlite-stage.ts';

drizzleSuite('SQLite', openSqliteStage);

describe("SQLite's drizzle", () => {
  test('has run, all, get and values, for texts and for queries', async () => {
    const { db } = await openScratch(DDL);
    const orm = drizzle(db, { schema });
    const done = await orm.insert(users).values({ name: 'Ada', email: 'ada' });
    expect(done).toEqual({ rowsAffected: 1, lastInsertId: 1 });
    expect(await orm.run(sql`update users set name = ${'Bob'}`)).toMatchObject({ rowsAffected: 1 });
    expect(await orm.all(sql`select id, name from users`)).toEqual([{ id: 1, name: 'Bob' }]);
    expect(await orm.get(sql`select id, name from users`)).toEqual({ id: 1, name: 'Bob' });
    expect(await orm.get(sql`select id from users where 0`)).toBeUndefined();
    expect(await orm.values(sql`select id, name, name from users`)).toEqual([[1, 'Bob', 'Bob']]);
    const query = orm.select({ name: users.name }).from(users);
    expect(await query.get()).toEqual({ name: 'Bob' });
    expect(await query.where(eq(users.id, 2)).get()).toBeUndefined();
    expect(await query.values()).toEqual([]);
    const writes = await orm.batch([
      orm.insert(users).values({ name: 'Cyd', email: 'c' }),
      orm.run(sql`select 1`),
    ]);
    expect(writes).toEqual([{ rowsAffected: 1, lastInsertId: 2 }, { rowsAffected: 0 }]);
    await orm.delete(users).where(eq(users.id, 2));
    const batch = await orm.batch([
      orm.all(sql`select name from users`),
      orm.get(sql`select 1 as one`),
      orm.values(sql`select 1, 2`),
      orm.run(sql`delete from users`),
    ]);
    expect(batch).toEqual([
      [{ name: 'Bob' }],
      { one: 1 },
      [[1, 2]],
      expect.objectContaining({ rowsAffected: 1 }),
    ]);
  });

  test('names the columns that have no name of their own, also for repositories', async () => {
    const { db } = await openScratch('create table people (id integer primary key, first_name text unique)');
    const people = sqliteTable('people', { id: integer().primaryKey(), firstName: text().unique() });
    const orm = drizzle(db, { casing: 'snake_case' });
    await orm.insert(people).values({ firstName: 'Ada' });
    expect(await orm.select().from(people)).toEqual([{ id: 1, firstName: 'Ada' }]);
    const rows = repository(orm, people);
    expect(await rows.upsert({ id: 1, firstName: 'Bob' })).toEqual({ id: 1, firstName: 'Bob' });
    expect(await rows.saveMany([{ firstName: 'Cyd' }])).toEqual([{ id: 2, firstName: 'Cyd' }]);
    expect(await rows.findOne({ firstName: 'Bob' })).toEqual({ id: 1, firstName: 'Bob' });
  });

  test('refuses a schema or a table of the other dialect', async () => {
    const { db } = await openScratch('');
    const table = pg.pgTable('t', { id: pg.integer().primaryKey() });
    expect(() => drizzle(db, { schema: { table } })).toThrow(UsageError);
    expect(() => drizzle(db, { schema: { table }, dialect: 'sqlite' })).toThrow(UsageError);
    expect(() => drizzle(db, { dialect: 'postgres' })).toThrow(/is sqlite/);
    await expect(repository(db, table).count()).rejects.toThrow(UsageError);
  });
});
