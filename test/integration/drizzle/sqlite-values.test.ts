import { desc, eq, gt, relations, sql } from 'drizzle-orm';
import { alias, blob, integer, numeric, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { drizzle, repository } from '../../../src/drizzle/index.ts';
import { scratchForAll } from '../../fixtures/scratch-database.ts';

const values = sqliteTable('kinds_of_values', {
  id: integer().primaryKey(),
  flag: integer({ mode: 'boolean' }),
  seconds: integer({ mode: 'timestamp' }),
  millis: integer({ mode: 'timestamp_ms' }),
  word: text({ enum: ['a', 'b'] }),
  json: text({ mode: 'json' }),
  real: real(),
  exact: numeric(),
  number: numeric({ mode: 'number' }),
  large: numeric({ mode: 'bigint' }),
  bytes: blob({ mode: 'buffer' }),
  jsonBytes: blob('json_bytes', { mode: 'json' }),
  huge: blob({ mode: 'bigint' }),
  preset: text().default('of the database'),
  computed: text().$defaultFn(() => 'of the program'),
  changed: integer().$onUpdate(() => 7),
  shout: text().generatedAlwaysAs(sql`upper(word)`),
});
const notes = sqliteTable('notes', {
  id: integer().primaryKey(),
  valueId: integer('value_id').references(() => values.id),
  name: text(),
  at: integer({ mode: 'timestamp_ms' }),
  json: text({ mode: 'json' }),
});
const schema = {
  values,
  notes,
  ofValues: relations(values, ({ many }) => ({ notes: many(notes) })),
  ofNotes: relations(notes, ({ one }) => ({
    value: one(values, { fields: [notes.valueId], references: [values.id] }),
  })),
};
const DDL = `create table kinds_of_values (id integer primary key, flag int, seconds int, millis int, word text,
  json text, real real, exact numeric, number numeric, large numeric, bytes blob, json_bytes blob, huge blob,
  preset text default 'of the database', computed text, changed int,
  shout text generated always as (upper(word)));
  create table notes (id integer primary key, value_id int references kinds_of_values, name text, at int, json text)`;

const ROW = {
  id: 1,
  flag: true,
  seconds: new Date('2024-02-29T12:34:56Z'),
  millis: new Date('2024-02-29T12:34:56.789Z'),
  word: 'a' as const,
  json: { a: [1, null, '"x"'] },
  real: -0.1,
  exact: '1.5',
  number: 2.5,
  large: 9_007_199_254_740_993n,
  bytes: Buffer.from([0, 255, 92]),
  jsonBytes: ['é'],
  huge: 2n ** 70n,
};
const STORED = { ...ROW, preset: 'of the database', computed: 'of the program', changed: 7, shout: 'A' };

describe("SQLite's columns through drizzle", () => {
  const scratch = scratchForAll(DDL);
  const open = () => drizzle(scratch.db, { schema });
  beforeEach(() => scratch.db.batch(['delete from notes', 'delete from kinds_of_values']));

  test('read back what was bound, by every kind of query (B17)', async () => {
    const orm = open();
    expect(await orm.insert(values).values(ROW).returning()).toEqual([STORED]);
    expect(await orm.select().from(values)).toEqual([STORED]);
    expect(await orm.select().from(values).get()).toEqual(STORED);
    const other = alias(values, 'other');
    const joined = await orm
      .select()
      .from(values)
      .innerJoin(other, eq(other.id, values.id))
      .leftJoin(notes, eq(notes.valueId, values.id))
      .get();
    expect(joined).toEqual({ kinds_of_values: STORED, other: STORED, notes: null });
    expect(await orm.query.values.findFirst()).toEqual(STORED);
    const rows = repository(scratch.db, values);
    expect(await rows.findById(1)).toEqual(STORED);
    expect(await rows.saveMany([{ ...ROW, id: 2 }])).toEqual([{ ...STORED, id: 2 }]);
    expect(await rows.findOne({ millis: ROW.millis, flag: true, huge: ROW.huge })).toEqual(STORED);
  });

  test('take null and JSON of every kind', async () => {
    const orm = open();
    const jsons = ['text', '"1"', 5, false, [], { nested: { deep: null } }];
    await orm.insert(values).values(jsons.map((json, index) => ({ id: index + 1, json })));
    const read = await orm.select({ json: values.json, flag: values.flag }).from(values).orderBy(values.id);
    expect(read).toEqual(jsons.map((json) => ({ json, flag: null })));
    await orm.update(values).set({ json: null }).where(gt(values.id, 1));
    expect(await orm.$count(values, sql`${values.json} is null`)).toBe(5);
  });

  test('keep their modes in what belongs to a row, in subqueries, and by placeholders', async () => {
    const orm = open();
    await orm.insert(values).values([ROW, { id: 2 }]);
    const at = new Date(5);
    await orm.insert(notes).values([
      { valueId: 1, name: 'first', at, json: [1] },
      { valueId: 1, name: null },
    ]);
    const found = await orm.query.notes.findMany({
      with: { value: { columns: { flag: true, seconds: true, millis: true, json: true } } },
      orderBy: desc(notes.id),
    });
    const value = { flag: true, seconds: ROW.seconds, millis: ROW.millis, json: ROW.json };
    expect(found).toMatchObject([
      { name: null, at: null, value },
      { name: 'first', at, json: [1], value },
    ]);
    const recent = orm
      .$with('recent')
      .as(orm.select({ flag: values.flag, millis: values.millis }).from(values));
    expect(await orm.with(recent).select().from(recent).where(eq(recent.flag, true))).toEqual([
      { flag: true, millis: ROW.millis },
    ]);
    const byTime = orm
      .select({ id: values.id })
      .from(values)
      .where(eq(values.seconds, sql.param(sql.placeholder('moment'), values.seconds)))
      .prepare();
    expect(await byTime.all({ moment: ROW.seconds })).toEqual([{ id: 1 }]);
    expect(await byTime.get({ moment: at })).toBeUndefined();
    await expect(byTime.all({ other: 1 })).rejects.toThrow('No value for placeholder "moment"');
    const insert = orm
      .insert(values)
      .values({ millis: sql.placeholder('millis'), json: sql.placeholder('json') })
      .returning({ millis: values.millis, json: values.json })
      .prepare();
    expect(await insert.get({ millis: at, json: { a: null } })).toEqual({ millis: at, json: { a: null } });
    expect(await insert.get({ millis: null, json: null })).toEqual({ millis: null, json: null });
    expect(await orm.$count(values, sql`${values.json} is null and ${values.id} > 3`)).toBe(1);
  });

  test('get() reads one row of many, and no more', async () => {
    const orm = open();
    await orm.insert(values).values(Array.from({ length: 100 }, (_, index) => ({ id: index + 1 })));
    const rows: number[] = [];
    const off = scratch.db.on('query:end', (event) => rows.push(event.rows));
    expect(await orm.select({ key: values.id, json: values.json }).from(values).get()).toEqual({
      key: 1,
      json: null,
    });
    expect(await orm.select().from(values).where(eq(values.id, 0)).get()).toBeUndefined();
    off();
    expect(rows).toEqual([1, 0]);
    // The same column twice, and one of two tables: what no row object holds.
    expect(await orm.select({ a: values.id, b: values.id }).from(values).get()).toEqual({ a: 1, b: 1 });
    expect(
      await orm
        .select({ a: values.id, b: sql<number>`2` })
        .from(values)
        .get(),
    ).toEqual({ a: 1, b: 2 });
  });
});
