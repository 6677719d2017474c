import { eq, sql } from 'drizzle-orm';
import * as pg from 'drizzle-orm/pg-core';
import { sqliteTable, integer } from 'drizzle-orm/sqlite-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drizzle, repository, type KeysetPage, type RowOf } from '../../../src/drizzle/index.ts';
import { openDatabase, UsageError, type Database } from '../../../src/index.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { drizzleSuite } from './drizzle-suite.ts';
import { openPostgresStage } from './postgres-stage.ts';
import { repositorySuite } from './repository-suite.ts';

drizzleSuite('PostgreSQL', openPostgresStage);
repositorySuite('PostgreSQL', openPostgresStage);

describe("PostgreSQL's drizzle", () => {
  const values = pg.pgTable('kinds_of_values', {
    id: pg.bigint({ mode: 'bigint' }).primaryKey(),
    json: pg.json(),
    jsonb: pg.jsonb(),
    local: pg.timestamp({ precision: 3 }),
    moment: pg.timestamp({ withTimezone: true, precision: 3 }),
    text: pg.timestamp({ mode: 'string' }),
    day: pg.date(),
    exact: pg.numeric(),
    list: pg.integer().array(),
    words: pg.text().array(),
    uuid: pg.uuid(),
    flag: pg.boolean(),
    span: pg.interval(),
  });
  let db: Database;
  beforeAll(async () => {
    db = await openDatabase({ url: await sharedPostgresDatabase(), name: false, log: 'silent' });
    await db.script(`create table kinds_of_values (id bigint primary key, json json, jsonb jsonb, local timestamp(3),
      moment timestamptz(3), text timestamp, day date, exact numeric, list int[], words text[], uuid uuid, flag boolean,
      span interval)`);
  });
  afterAll(() => db.close({ timeoutMs: 1_000 }));

  const ROW = {
    id: 9_007_199_254_740_993n,
    json: '1',
    jsonb: { a: [1, null, '"x"'] },
    local: new Date('2024-02-29T12:34:56.789Z'),
    moment: new Date('2024-02-29T12:34:56.789Z'),
    text: '2024-02-29 12:34:56.789',
    day: '2024-02-29',
    exact: '12345678901234567890.123',
    list: [1, 2, 3],
    words: ['a', 'b"c', 'd,e', ''],
    uuid: '0189f7ea-ae2c-7809-8aeb-b819cf5e9e7f',
    flag: true,
    span: '1 day 02:03:04',
  };

  test('reads back what it bound, by a query, a join and a repository', async () => {
    const orm = drizzle(db, { dialect: 'postgres' });
    await orm.insert(values).values(ROW);
    expect(await orm.select().from(values)).toEqual([ROW]);
    const joined = await orm
      .select()
      .from(values)
      .innerJoin(pg.alias(values, 'other'), sql`true`);
    expect(joined).toEqual([{ kinds_of_values: ROW, other: ROW }]);
    const rows = repository(db, values);
    expect(await rows.findById(ROW.id)).toEqual(ROW);
    expect(await rows.update(ROW.id, { jsonb: 'text', json: null })).toEqual({
      ...ROW,
      jsonb: 'text',
      json: null,
    });
    const copy = { ...ROW, id: 2n, jsonb: '"quoted"' };
    expect(await rows.saveMany([copy])).toEqual([copy]);
    const page = await rows.findPage({ size: 1, after: null, orderBy: { id: 'desc' } });
    expect(page.rows.map((row) => row.id)).toEqual([ROW.id]);
    const next = await rows.findPage({ size: 1, after: page.next!, orderBy: { id: 'desc' } });
    expect(next.rows.map((row) => row.id)).toEqual([2n]);
  });

  test('tells the same moment in texts, whatever the time zone of the process', async () => {
    const moments = pg.pgTable('moments', {
      id: pg.integer().primaryKey(),
      at: pg.timestamp({ mode: 'string', withTimezone: true }),
      many: pg.timestamp({ mode: 'string', withTimezone: true }).array(),
    });
    await db.script('create table moments (id int primary key, at timestamptz, many timestamptz[])');
    const zone = process.env['TZ'];
    process.env['TZ'] = 'America/New_York';
    try {
      const orm = drizzle(db, { schema: { moments } });
      const at = '2024-07-01 12:34:56.789+00';
      const row = { id: 1, at, many: [at] };
      expect(await orm.insert(moments).values(row).returning()).toEqual([row]);
      expect(await orm.select().from(moments)).toEqual([row]);
      const joined = orm
        .select()
        .from(moments)
        .innerJoin(pg.alias(moments, 'other'), sql`true`);
      expect(await joined).toEqual([{ moments: row, other: row }]);
      expect(await orm.query.moments.findFirst()).toEqual(row);
      expect(await repository(db, moments).findById(1)).toEqual(row);
      await orm.update(moments).set({ at: 'infinity', many: ['-infinity'] });
      expect(await repository(db, moments).findById(1)).toEqual({
        id: 1,
        at: 'infinity',
        many: ['-infinity'],
      });
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  test('keeps its place between times that differ by less than a ms', async () => {
    const ticks = pg.pgTable('ticks', {
      id: pg.integer().primaryKey(),
      at: pg.timestamp({ withTimezone: true }).notNull(),
      local: pg.timestamp(),
    });
    await db.script(`create table ticks (id int primary key, at timestamptz not null, local timestamp);
      insert into ticks select n, '2024-01-01T00:00:00Z'::timestamptz + (n % 20) * interval '100 microseconds',
        case n % 3 when 0 then null else '2024-01-01'::timestamp + n * interval '10 microseconds' end
      from generate_series(1, 60) n; insert into ticks values (61, 'infinity', '-infinity')`);
    const rows = repository(db, ticks);
    for (const orderBy of [{ at: 'desc' }, { local: 'desc', at: 'asc' }, { local: 'asc' }] as const) {
      const whole = await rows.findPage({ size: 100, orderBy });
      const seen: unknown[] = [];
      for (let after: string | null | undefined = null; after !== undefined;) {
        const page: KeysetPage<RowOf<typeof ticks>> = await rows.findPage({ size: 7, after, orderBy });
        seen.push(...page.rows);
        after = page.next;
      }
      expect(seen).toEqual(whole.rows);
      expect(Object.keys(whole.rows[0]!)).toEqual(['id', 'at', 'local']);
    }
  });

  test('executes texts, alone and in a batch, and gives the number of rows that a write changed', async () => {
    const orm = drizzle(db, { schema: { values } });
    await orm.delete(values);
    expect(await orm.insert(values).values({ id: 1n })).toEqual({ rows: [], rowsAffected: 1 });
    expect(await orm.execute(sql`select id, ${'x'}::text as x from kinds_of_values`)).toEqual({
      rows: [{ id: 1, x: 'x' }],
    });
    const batch = await orm.batch([
      orm.execute(sql`select 1 as one`),
      orm.update(values).set({ flag: true }).where(eq(values.id, 1n)),
      orm.query.values.findFirst({ columns: { flag: true } }),
    ]);
    expect(batch).toEqual([{ rows: [{ one: 1 }] }, { rows: [], rowsAffected: 1 }, { flag: true }]);
    const writes = await orm.batch([
      orm.update(values).set({ flag: false }),
      orm.delete(values).where(sql`false`),
    ]);
    expect(writes).toEqual([
      { rows: [], rowsAffected: 1 },
      { rows: [], rowsAffected: 0 },
    ]);
    const prepared = orm
      .select({ id: values.id })
      .from(values)
      .where(eq(values.id, sql.placeholder('id')))
      .prepare('by id');
    const names: (string | undefined)[] = [];
    const off = db.on('query:end', (event) => names.push(event.name));
    expect(await prepared.execute({ id: 1n })).toEqual([{ id: 1n }]);
    off();
    expect(names).toEqual(['by id']);
  });

  test("refuses SQLite's tables", () => {
    const table = sqliteTable('t', { id: integer().primaryKey() });
    expect(() => drizzle(db, { schema: { table } })).toThrow(UsageError);
    expect(() => drizzle(db)).toThrow(/dialect: 'postgres'/);
  });
});
