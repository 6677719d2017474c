import { describe, expect, test } from 'vitest';
import type { Database, Lease } from '../../../src/index.ts';
import { backendOf, postgresScratch } from '../../fixtures/postgres-database.ts';

type Leave = (connection: Lease['connection']) => Promise<unknown>;

/** What a taker may leave in a session. */
const LEFT: Readonly<Record<string, Leave>> = {
  'a setting': (connection) => connection.run("set search_path = 'nowhere'"),
  'a setting by function': (connection) =>
    connection.value("select set_config('datestyle', 'German', false)"),
  'a limit': (connection) => connection.run("set statement_timeout = '1ms'"),
  'a temporary table': (connection) => connection.run('create temp table things (id text)'),
  'a temporary table of a script': (connection) =>
    connection.script('create temporary table things as select 1 as other'),
  'a channel that is listened to': (connection) => connection.run('listen something'),
  'an advisory lock': (connection) => connection.value('select pg_advisory_lock(42)'),
  'a prepared statement': (connection) => connection.run('prepare mine as select 1'),
  'a read-only session': (connection) => connection.run('set default_transaction_read_only = on'),
  'an error': (connection) => connection.run('select 1 / 0').catch(() => undefined),
  'a role': (connection) => connection.run('set role pg_monitor'),
  'statements under way': (connection) => {
    void connection.value('select 1 from pg_sleep(1)').catch(() => undefined);
    return Promise.resolve();
  },
  'a stream half read': async (connection) => {
    await connection.stream('select i from generate_series(1, 100000) i').next();
  },
};

async function stateOf(db: Database): Promise<unknown> {
  await using lease = await db.acquire();
  const { connection } = lease;
  return {
    things: await connection.all('select * from things'),
    moment: await connection.value("select '2026-01-02 03:04:05+00'::timestamptz"),
    settings: await connection.all(
      `select name, setting from pg_settings
       where name in ('search_path', 'statement_timeout', 'role', 'default_transaction_read_only') order by name`,
    ),
    locks: await connection.value(`select count(*) from pg_locks where locktype = 'advisory'`),
    channels: await connection.arrays('select * from pg_listening_channels()'),
    prepared: await connection.value(`select count(*) from pg_prepared_statements where name = 'mine'`),
    written: (await connection.run('insert into written values (1)')).rowsAffected,
  };
}

describe('what a taker leaves in its session', () => {
  const scratch = postgresScratch(
    'create table things (id int); insert into things values (1); create table written (id int)',
    { pool: { max: 1 } },
  );

  test.each(Object.entries(LEFT))('%s is not there for the next one (C43, B11)', async (_what, leave) => {
    const { db } = scratch;
    const before = await stateOf(db);
    {
      await using lease = await db.acquire();
      await leave(lease.connection);
    }
    expect(await stateOf(db)).toEqual(before);
    expect(db.stats().pool.leased).toBe(0);
  });

  test.each(Object.entries(LEFT).slice(0, 5))(
    '%s by a call without a lease is not there (C43)',
    async (_what, leave) => {
      const { db } = scratch;
      const before = await stateOf(db);
      await leave(db as unknown as Lease['connection']);
      expect(await stateOf(db)).toEqual(before);
    },
  );

  test('is cleared away on the same connection, where it can be', async () => {
    const { db } = scratch;
    const ids = new Set<number>();
    for (let round = 0; round < 3; round += 1) {
      await using lease = await db.acquire();
      ids.add(await backendOf(lease.connection));
      await lease.connection.run("set application_name = 'mine'");
    }
    expect(ids.size).toBe(1);
  });
});
