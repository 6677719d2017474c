import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { changeTriggers, createCache, type Cache } from '../../../src/cache/index.ts';
import { openDatabase, sql, UsageError, type Database } from '../../../src/index.ts';
import { until } from '../../fixtures/redis-caches.ts';
import { openScratch } from '../../fixtures/scratch-database.ts';
import { startPostgres, type PostgresServer } from '../../servers/postgres.ts';

let server: PostgresServer;
let db: Database;

beforeAll(async () => {
  server = await startPostgres();
  db = await openDatabase(server.url, { name: false, log: 'silent' });
  await db.script(`
    create table users (id integer primary key, name text not null);
    create table "Odd ""Name" (id integer primary key);
    create table unrelated (id integer primary key);
    create view names as select name from users;
    insert into users values (1, 'Ada');
  `);
  await db.script(changeTriggers(['users', 'public.Odd "Name']));
});
afterAll(async () => {
  await db.close({ timeoutMs: 1_000 });
  await server.stop();
});

function open(): Cache {
  const cache = createCache(db, { name: false });
  onTestFinished(() => cache.close());
  return cache;
}

/** Runs a statement until it is known what it reads: until then any change drops what was made of it. */
async function learn(text: string): Promise<void> {
  let isKnown = false;
  const stop = db.on(
    'query:end',
    (event) => (isKnown ||= event.sql === text && event.tablesRead !== undefined),
  );
  await until(async () => (await db.all(text), isKnown));
  stop();
}

/** A cached read that was run often enough for its tables to be known, if they can be. */
async function settled(cache: Cache, text: string): Promise<() => Promise<unknown>> {
  const load = () => cache.getOrSet(text, () => db.all(text), { ttlMs: Infinity });
  for (let use = 0; use < 3; use += 1) {
    await cache.delete(text);
    await load();
  }
  return load;
}

const COUNT = 'select count(*)::int from names';
const ODD = 'select * from "Odd ""Name"';
const ELSE = 'select * from unrelated';
const count = (): Promise<number | undefined> => db.value<number>(COUNT);

describe('on PostgreSQL', () => {
  test('a partition, its whole and a child table are one thing by several names (X4, B15)', async () => {
    await db.script(`
      create table parts (id integer, n integer) partition by list (id);
      create table parts_1 partition of parts for values in (1);
      create table parts_2 partition of parts for values in (2);
      create table noted (n integer);
      create function note() returns trigger language plpgsql as
        'begin insert into noted values (new.n); return new; end';
      create trigger note before insert on parts_2 for each row execute function note();
      create table elders (n integer);
      create table heirs () inherits (elders);
      insert into heirs values (1)`);
    const cache = open();
    const reads = ['parts', 'parts_1', 'noted', 'heirs', 'elders'].map((name) => `table ${name}`);
    const loads = await Promise.all(reads.map((text) => settled(cache, text)));
    const writes = [
      'insert into parts values (1, 1)',
      'insert into parts values (2, 2)',
      'update parts set id = 3 - id',
      'insert into parts_1 values (1, 3)',
      'delete from parts_1',
      'update elders set n = n + 1',
      'update heirs set n = n + 1',
    ];
    for (const write of writes) {
      await Promise.all(loads.map((load) => load()));
      await db.run(write);
      const now = await Promise.all(reads.map((text) => db.all(text)));
      expect(await Promise.all(loads.map((load) => load())), write).toEqual(now);
    }
    await Promise.all(loads.map((load) => load()));
    const { dropped } = cache.stats();
    await cache.invalidateTables('parts');
    expect(cache.stats().dropped).toBe(dropped + 2);
  });

  test('a table without a partition is read like any other when it has one (B15)', async () => {
    await db.script('create table later (id integer) partition by list (id)');
    const load = await settled(open(), 'table later');
    await db.run('create table later_1 partition of later for values in (1)');
    await db.run('insert into later values (1)');
    expect(await load()).toEqual([{ id: 1 }]);
  });

  test.each([
    'select read_by_function()',
    'select "Read by SQL"()',
    'table read_by_view',
    "select query_to_xml('table counted', true, false, '')::text",
  ])('what a function reads is not known, so any change drops it: %s (B15)', async (text) => {
    await db.script(`
      drop table if exists counted cascade;
      create table counted (n integer);
      insert into counted values (1);
      create or replace function read_by_function() returns integer language plpgsql stable as
        'begin return (select sum(n) from counted); end';
      create or replace function "Read by SQL"() returns bigint language sql stable as
        'select sum(n) from counted';
      create or replace view read_by_view as select read_by_function()`);
    const load = await settled(open(), text);
    const before = await load();
    await db.run('update counted set n = n + 1');
    expect(await load()).not.toEqual(before);
  });

  test('a write that the server does not explain may have changed anything (X4, B15)', async () => {
    const load = await settled(open(), 'select sum(id)::int as sum from unrelated');
    const before = await load();
    await db.all('explain analyze insert into unrelated values (100)');
    expect(await load()).not.toEqual(before);
    await db.run('delete from unrelated where id = 100');
  });

  test('what is committed drops what was read from the changed tables, through views too (X4, B15)', async () => {
    const cache = open();
    const load = () => cache.getOrSet('k', count);
    await learn(COUNT);
    await load();
    const { loads } = cache.stats();
    await db.run('insert into unrelated values (1)');
    expect([await load(), cache.stats().loads]).toEqual([1, loads]);
    await db.run(sql`insert into users values (2, ${'Bob'})`);
    expect(await load()).toBe(2);
    await db.transaction(async (tx) => {
      await tx.run('delete from users where id = 2');
      expect(await load()).toBe(1);
    });
    expect(await load()).toBe(1);
    const undone = db.transaction(async (tx) => {
      await tx.run('delete from users');
      await load();
      throw new Error('no');
    });
    await expect(undone).rejects.toThrow('no');
    expect(await load()).toBe(1);
    expect(await db.transaction(load, { readOnly: true })).toBe(1);
  });

  test('what another program commits does too, where its tables tell (D4)', async () => {
    const cache = open();
    await cache.followNotifications();
    for (const text of [COUNT, ODD, ELSE]) await learn(text);
    const client = new Client({ connectionString: server.url });
    await client.connect();
    onTestFinished(() => client.end());
    const changes = [
      "insert into users values (3, 'Eve')",
      "update users set name = 'Eva' where id = 3",
      'delete from users where id = 3',
      'insert into "Odd ""Name" values (1)',
    ];
    for (const change of changes) {
      await cache.getOrSet('users', count);
      await cache.getOrSet('odd', () => db.all(ODD));
      await cache.getOrSet('else', () => db.all(ELSE));
      await client.query(change);
      await until(() => cache.peek(change.includes('users') ? 'users' : 'odd') === undefined);
      expect(cache.peek('else')).toBeDefined();
    }
    await client.query('begin');
    await cache.getOrSet('users', count);
    await client.query('truncate users');
    await client.query('rollback');
    await client.query("notify millpond_changes, 'unrelated'");
    await until(() => cache.peek('else') === undefined);
    expect(cache.peek('users')).toBeDefined();
    await client.query('notify millpond_changes');
    await until(() => cache.peek('users') === undefined);
  });

  test('after a gap nothing that was read is trusted', async () => {
    const cache = open();
    await cache.followNotifications();
    await cache.getOrSet('users', count);
    const client = new Client({ connectionString: server.url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and query ilike $1',
      ['listen%'],
    );
    await until(() => cache.peek('users') === undefined);
    expect(await cache.getOrSet('users', count)).toBe(await count());
  });
});

test('triggers need names that can be quoted, and a cache a database that notifies', async () => {
  for (const table of ['', 'a.b.c', 'a\0', 7 as never])
    expect(() => changeTriggers([table])).toThrow(UsageError);
  expect(() => changeTriggers([], { channel: "a'; drop table users; --" })).toThrow(UsageError);
  await using alone = createCache({ name: false });
  await expect(alone.followNotifications()).rejects.toThrow('no database');
  const { db: file } = await openScratch('create table a (id integer)');
  await using cache = createCache(file, { name: false });
  await expect(cache.followNotifications()).rejects.toThrow('data:change');
});
