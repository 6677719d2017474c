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

const COUNT = 'select count(*)::int from names';
const ODD = 'select * from "Odd ""Name"';
const ELSE = 'select * from unrelated';
const count = (): Promise<number | undefined> => db.value<number>(COUNT);

describe('on PostgreSQL', () => {
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
