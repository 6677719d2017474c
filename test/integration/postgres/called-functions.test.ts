import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { expectAtRest } from '../../fixtures/scratch-database.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';

/** The tables that were told of, in the order in which they were; `all` where anything may have changed. */
let told: string[] = [];
let db: Database;

beforeAll(async () => {
  db = await openDatabase(await sharedPostgresDatabase(), { name: false, log: 'silent', pool: { max: 4 } });
  await db.script(`
    create table visits (n int);
    create function noted(n int) returns int language sql as 'insert into visits values (n) returning n';
    create function "Noted twice"(n int) returns int language sql as 'select noted(n) + noted(n)';
    create function noted_if(wanted boolean) returns int language plpgsql as
      'begin if wanted then perform noted(1); end if; return 1; end';
    create function doubled(n int) returns int language sql immutable as 'select n * 2';
    create function visited() returns bigint language sql stable as 'select count(*) from visits'`);
  db.on('data:change', ({ tables }) => told.push(...(tables ?? ['all'])));
});
afterAll(async () => {
  await expectAtRest(db);
  await db.close();
});
beforeEach(() => {
  told = [];
});

describe('a read that calls functions (B15, X4)', () => {
  test.each([
    'select doubled(2)',
    'select visited(), radians(1), point(1, 2) <@ box(point(0, 0), point(3, 3))',
    'with large(n) as materialized (select 1) select doubled(n) from large',
  ])('changes nothing where they change nothing: %s', async (text) => {
    for (let use = 0; use < 3; use += 1) await db.all(text);
    await db.transaction((tx) => tx.all(text));
    expect(told).toEqual([]);
  });

  test.each([
    'select noted(1)',
    'select Noted(1)',
    'select noted /* as always */ (1)',
    'select noted -- as always\n (1)',
    `select '--', noted(1)`,
    'select "Noted twice"(1)',
    'select u&"not\\0065d"(1)',
  ])('may change anything where one is volatile: %j', async (text) => {
    const before = await db.value<number>('select count(*)::int from visits');
    await db.all(text);
    expect(told).toEqual(['all']);
    await db.transaction((tx) => tx.all(text));
    expect(told).toEqual(['all', 'all']);
    expect(await db.value('select count(*)::int from visits')).toBeGreaterThan(before!);
  });

  test('may change anything the next time, too, where one has only read so far', async () => {
    const read = 'select noted_if($1)';
    for (let use = 0; use < 10; use += 1) await db.value(read, [false]);
    told = [];
    await db.value(read, [true]);
    expect(told).toEqual(['all']);
    await db.value(read, [true]);
    expect(told).toEqual(['all', 'all']);
    await db.transaction((tx) => tx.value(read, [true]));
    expect(told).toEqual(['all', 'all', 'all']);
  });

  test.each(['select * into copied from visits', 'select 1; insert into visits values (1)'])(
    'is none where it writes by itself: %s',
    async (text) => {
      await db.script(text);
      expect(told).toEqual(['all']);
      await db.run('drop table if exists copied');
    },
  );

  test('is asked about again when functions may have changed', async () => {
    await db.script(`create function tried() returns int language sql immutable as 'select 1'`);
    told = [];
    await db.all('select tried()');
    expect(told).toEqual([]);
    await db.script(
      `create or replace function tried() returns int language sql volatile as 'select noted(1)'`,
    );
    told = [];
    await db.all('select tried()');
    expect(told).toEqual(['all']);
  });
});
