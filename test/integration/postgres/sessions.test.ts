import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { expectAtRest } from '../../../src/testing/index.ts';
import { startPgBouncer, type PgBouncer } from '../../servers/pgbouncer.ts';
import { startPostgres, POSTGRES_PASSWORD, type PostgresServer } from '../../servers/postgres.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';

const QUIET = { name: false, log: 'silent' } as const;

/** What every kind of call does, on tables of its own. */
async function workAsUsual(db: Database): Promise<void> {
  await db.script('drop table if exists usual; create table usual (id int primary key, name text)');
  for (let round = 0; round < 4; round += 1) {
    await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const id = round * 12 + n;
        await db.run('insert into usual (id, name) values (:id, :name)', { id, name: `n${id}` });
        expect(await db.value('select name from usual where id = :id', { id })).toBe(`n${id}`);
      }),
    );
    await db.transaction(async (tx) => {
      expect(Number(await tx.value('select count(*) from usual'))).toBe((round + 1) * 12);
      await tx.transaction((inner) => inner.run('delete from usual where id = -1'));
    });
  }
  const ids: number[] = [];
  for await (const { id } of db.stream<{ id: number }>('select id from usual order by id')) ids.push(id);
  expect(ids).toHaveLength(48);
  await expect(db.value('select 1 from pg_sleep(5)', [], { timeoutMs: 50 })).rejects.toThrow('50 ms');
  await expectAtRest(db);
}

describe('a session of the server', () => {
  test('looks up names where the options say, and shows its own name', async () => {
    const url = await sharedPostgresDatabase();
    await using plain = await openDatabase(url, QUIET);
    await plain.script('create schema "App"; create table "App".here (id int)');
    await using db = await openDatabase(`${url}?application_name=shop`, {
      ...QUIET,
      postgres: { searchPath: 'App, public' },
    });
    expect(await db.all('select * from here')).toEqual([]);
    expect(await db.value("select current_setting('application_name')")).toBe('shop');
    await using byUrl = await openDatabase(`${url}?search_path=App`, QUIET);
    expect(await byUrl.all('select * from here')).toEqual([]);
  });

  test('keeps statements only where that is wanted', async () => {
    const url = await sharedPostgresDatabase();
    const kept = async (preparedStatements: boolean): Promise<number> => {
      await using db = await openDatabase(url, { ...QUIET, postgres: { preparedStatements } });
      await using lease = await db.acquire();
      for (let round = 0; round < 5; round += 1) await lease.connection.value('select 1 as one');
      return Number(await lease.connection.value('select count(*) from pg_prepared_statements'));
    };
    expect(await kept(true)).toBe(1);
    expect(await kept(false)).toBe(0);
  });

  test('keeps no more statements than it may', async () => {
    const url = await sharedPostgresDatabase();
    await using db = await openDatabase(url, { ...QUIET, statementCacheSize: 5 });
    await using lease = await db.acquire();
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 20; n += 1) expect(await lease.connection.value(`select ${n}`)).toBe(n);
    }
    const kept = await lease.connection.value('select count(*) from pg_prepared_statements');
    expect(Number(kept)).toBeLessThanOrEqual(6);
  });

  test('has a statement prepared again that it has lost', async () => {
    const url = await sharedPostgresDatabase();
    await using db = await openDatabase(url, QUIET);
    await using lease = await db.acquire();
    const { connection } = lease;
    await db.script(`create function forget() returns void language plpgsql as
      $$ begin execute 'deallocate all'; end $$`);
    for (let round = 0; round < 3; round += 1) expect(await connection.value('select 5 as five')).toBe(5);
    // From within a function: the text does not say what it does.
    await connection.run('select forget()');
    expect(await connection.value('select 5 as five')).toBe(5);
    expect(await Promise.all([1, 2, 3].map(() => connection.value('select 5 as five')))).toEqual([5, 5, 5]);
  });

  test('prepares what was skipped behind a statement that failed', async () => {
    const url = await sharedPostgresDatabase();
    await using db = await openDatabase(url, { ...QUIET, pooled: false });
    await db.script('create table only_one (v int unique); insert into only_one values (1)');
    const write = (v: number) =>
      db.transaction((tx) => tx.run('insert into only_one (v) values (:v)', { v }));
    await expect(write(1)).rejects.toMatchObject({ name: 'ConstraintError' });
    for (const v of [2, 3, 4]) await write(v);
    await expect(write(1)).rejects.toMatchObject({ name: 'ConstraintError' });
    expect(Number(await db.value('select count(*) from only_one'))).toBe(4);
  });

  test('goes on with a transaction in which all that was prepared is dropped', async () => {
    const url = await sharedPostgresDatabase();
    await using db = await openDatabase(url, QUIET);
    await db.script('create table left_over (v int)');
    const work = (order: string) =>
      db.transaction(async (tx) => {
        await tx.run('insert into left_over (v) values (1)');
        await tx.run(order);
        await tx.run('insert into left_over (v) values (2)');
      });
    for (let round = 0; round < 3; round += 1) await work('select 1');
    for (let round = 0; round < 3; round += 1) await work('deallocate all');
    await db.transaction(async (tx) => {
      await tx.run('deallocate all');
      await tx.run('insert into left_over (v) values (3)');
    });
    expect(Number(await db.value('select count(*) from left_over'))).toBe(13);
  });

  test('does not keep to the types of a column that has another type now', async () => {
    const url = await sharedPostgresDatabase();
    await using db = await openDatabase(url, QUIET);
    await using stranger = await openDatabase(url, QUIET);
    await db.script('create table typed (v int)');
    const insert = (v: unknown) => db.value('insert into typed (v) values (:v) returning v', { v });
    for (let round = 0; round < 5; round += 1) expect(await insert(1)).toBe(1);
    await stranger.run('alter table typed alter v type text');
    expect(await insert('a')).toBe('a');
    await db.transaction(async (tx) => {
      await tx.run('alter table typed alter v type bytea using null');
      const text = 'insert into typed (v) values (:v) returning v';
      expect(await tx.value(text, { v: new Uint8Array([1]) })).toEqual(new Uint8Array([1]));
    });
  });

  test('is read-only where the database is', async () => {
    const url = await sharedPostgresDatabase();
    await using db = await openDatabase(url, { ...QUIET, readOnly: true });
    expect(await db.value('select 1')).toBe(1);
    await expect(db.run('create table no (id int)')).rejects.toMatchObject({ name: 'ReadOnlyError' });
  });

  test('is one for everything where there is to be one (T6)', async () => {
    const url = await sharedPostgresDatabase();
    await using db = await openDatabase(url, { ...QUIET, pooled: false });
    await workAsUsual(db);
    expect(db.stats().pool).toMatchObject({ size: 1, created: 1 });
  });
});

describe('through PgBouncer in transaction mode', () => {
  let bouncer: PgBouncer;
  beforeAll(async () => {
    bouncer = await startPgBouncer({ target: await sharedPostgresDatabase() });
  });
  afterAll(() => bouncer.stop());

  test('everything works that needs no session', async () => {
    const options = { ...QUIET, postgres: { throughPooler: true }, cancelGraceMs: 3_000 };
    await using db = await openDatabase(bouncer.url, options);
    await workAsUsual(db);
    expect(db.stats().pool.leased).toBe(0);
    const stopped = db.run('create table slow as select 1 as n from pg_sleep(5)', [], { timeoutMs: 30 });
    await expect(stopped).rejects.toMatchObject({ rollback: 'confirmed', cancellation: 'interrupt' });
  });

  test('nobody listens in vain, and several statements are told where to go', async () => {
    await using db = await openDatabase(bouncer.url, { ...QUIET, postgres: { throughPooler: true } });
    await expect(db.listen('jobs')).rejects.toThrow(/Listening needs a session of its own, and a pooler/);
    await expect(db.run('select 1; select 2')).rejects.toThrow(/Several statements go with db\.script/);
  });
});

describe('PostgreSQL 15', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version: 15, auth: 'scram-sha-256' });
  });
  afterAll(() => server.stop());

  test('works as the newest, with a password that a URL must escape', async () => {
    await using db = await openDatabase(server.url, QUIET);
    await workAsUsual(db);
    expect(await db.describe('insert into usual (id) values (:id)')).toMatchObject({
      tablesWritten: ['usual'],
    });
  });

  test('refuses a wrong password, and the message does not repeat it (P3)', async () => {
    const url = new URL(server.url);
    url.password = 'hunter2-wrong';
    const error = await openDatabase(url.href, QUIET).then(
      () => new Error('it was let in'),
      (refused: unknown) => refused as Error,
    );
    expect(error.message).toContain('authentication failed (user, password)');
    expect(JSON.stringify(error) + String(error.stack)).not.toContain('hunter2');
    expect(String(error.stack)).not.toContain(POSTGRES_PASSWORD);
  });
});
