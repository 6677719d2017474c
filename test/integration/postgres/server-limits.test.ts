import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database, type Queryable } from '../../../src/index.ts';
import { expectAtRest, rejection } from '../../fixtures/scratch-database.ts';
import { startPostgres, type PostgresServer } from '../../servers/postgres.ts';

/** Each runs in no transaction block; with what undoes it, so that it can be run again. */
const ALONE: readonly (readonly [text: string, undo: string])[] = [
  ['vacuum t', 'vacuum t'],
  ['create index concurrently by_name on t (name)', 'drop index concurrently by_name'],
  ["alter system set work_mem = '5MB'", 'alter system reset all'],
  ['create database elsewhere', 'drop database elsewhere'],
  ['do $$ begin insert into t values (1); commit; end $$', 'delete from t'],
];
const LIMITS = { queryTimeoutMs: 3_000, transactionTimeoutMs: 4_000, cancelGraceMs: 1_000 } as const;
/** Past the client's limit and its grace the server waits for two seconds more. */
const STATEMENT_LIMIT = '6s';
const TRANSACTION_LIMIT = '7s';

describe.each([15, 18] as const)('on PostgreSQL %i', (version) => {
  let server: PostgresServer;
  let db: Database;
  const hasTransactionLimit = version >= 17;

  beforeAll(async () => {
    server = await startPostgres({ version });
    const pool = { max: 1 };
    db = await openDatabase(server.url, { name: false, log: 'silent', pool, ...LIMITS });
    await db.script('create table t (id int, name text)');
  });
  afterAll(async () => {
    await expectAtRest(db);
    await db.close();
    await server.stop();
  });

  const limitOf = (queryable: Queryable, what: 'statement' | 'transaction', options = {}): Promise<unknown> =>
    queryable.value(`select current_setting('${what}_timeout', true)`, [], options);

  test.each(ALONE)('%s runs by itself, whatever limit it is given', async (text, undo) => {
    for (const timeoutMs of [undefined, 0, 60_000]) {
      await db.run(text, [], { timeoutMs });
      await db.run(undo, [], { timeoutMs });
    }
    await db.script(text, { timeoutMs: 0 });
    await db.script(undo, { timeoutMs: 0 });
    expect(await limitOf(db, 'statement')).toBe(STATEMENT_LIMIT);
  });

  test('says what to do with such a statement where it cannot run', async () => {
    for (const work of [
      () => db.batch(['vacuum t', 'select 1']),
      () => db.batch(['select 1', 'vacuum t']),
      () => db.script('vacuum t; select 1'),
      () => db.transaction((tx) => tx.run('vacuum t')),
    ]) {
      expect((await rejection(work())).message).toContain('by itself, with db.run');
    }
  });

  test('the server limits a statement by itself, later than its own limit is', async () => {
    expect(await limitOf(db, 'statement')).toBe(STATEMENT_LIMIT);
    expect(await limitOf(db, 'statement', { timeoutMs: 500 })).toBe(STATEMENT_LIMIT);
    expect(await limitOf(db, 'statement', { timeoutMs: 30_000 })).toBe('36s');
    expect(await limitOf(db, 'statement', { timeoutMs: 0 })).toBe('0');
    await db.script("create table seen as select current_setting('statement_timeout') as kept", {
      timeoutMs: 0,
    });
    expect(await db.value('select kept from seen')).toBe('0');
    await db.transaction(async (tx) => {
      await tx.script("update seen set kept = current_setting('statement_timeout')", { timeoutMs: 9_000 });
    });
    expect(await db.value('select kept from seen')).toBe('15s');
    expect(await limitOf(db, 'statement')).toBe(STATEMENT_LIMIT);
  });

  test('and a transaction, where it can: from version 17 on', async () => {
    const kept = async (options = {}): Promise<unknown> =>
      db.transaction((tx) => limitOf(tx, 'transaction'), options);
    const limit = (text: string): string | null => (hasTransactionLimit ? text : null);
    expect(await kept()).toBe(limit(TRANSACTION_LIMIT));
    expect(await kept({ timeoutMs: 500 })).toBe(limit(TRANSACTION_LIMIT));
    expect(await kept({ timeoutMs: 20_000 })).toBe(limit('26s'));
    expect(await kept({ timeoutMs: 0 })).toBe(limit('0'));
    expect(await limitOf(db, 'transaction', { timeoutMs: 30_000 })).toBe(limit('0'));
    for await (const row of db.stream("select current_setting('transaction_timeout', true) as kept")) {
      expect(row).toEqual({ kept: limit('0') });
    }
    let copied = '';
    const text = "copy (select current_setting('transaction_timeout', true)) to stdout";
    for await (const piece of db.copyOut(text)) copied += Buffer.from(piece).toString();
    expect(copied).toBe(hasTransactionLimit ? '0\n' : '\\N\n');
    expect(await kept()).toBe(limit(TRANSACTION_LIMIT));
  });
});
