import { Kysely } from 'kysely';
import { describe, expect, test } from 'vitest';
import { TransactionClosedError } from '../../../src/index.ts';
import { MillpondDialect } from '../../../src/kysely/index.ts';
import { expectAtRest, openScratch, scratchForAll } from '../../fixtures/scratch-database.ts';
import { kyselySuite, type KyselyStage, type Tables } from './kysely-suite.ts';

kyselySuite('SQLite', (): KyselyStage => {
  const scratch = scratchForAll(
    'create table users (id integer primary key, name text not null, email text not null unique)',
  );
  return {
    get db() {
      return scratch.db;
    },
    get kysely() {
      return new Kysely<Tables>({ dialect: new MillpondDialect(scratch.db) });
    },
    endless: 'with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as n from n',
  };
});

describe("SQLite's kysely", () => {
  test('ends a controlled transaction that is forgotten, and refuses what comes after (B5)', async () => {
    const { db } = await openScratch('create table users (id integer primary key, name text, email text)', {
      transactionTimeoutMs: 800,
    });
    const kysely = new Kysely<Tables>({ dialect: new MillpondDialect(db) });
    const trx = await kysely.startTransaction().execute();
    const inner = await trx.savepoint('one').execute();
    await inner.insertInto('users').values({ name: 'late', email: 'late' }).execute();
    await expect.poll(() => db.stats().transactions.active).toBe(0);
    const late = inner.insertInto('users').values({ name: 'later', email: 'later' }).execute();
    await expect(late).rejects.toThrow(TransactionClosedError);
    await expect(trx.commit().execute()).rejects.toThrow(/ms|ended|closed/);
    await trx.rollback().execute();
    expect(await db.value('select count(*) from users')).toBe(0);
    await expectAtRest(db);
  });
});
