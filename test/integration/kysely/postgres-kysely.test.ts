import { Kysely } from 'kysely';
import { afterAll, beforeAll } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { MillpondDialect } from '../../../src/kysely/index.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { kyselySuite, type KyselyStage, type Tables } from './kysely-suite.ts';

kyselySuite('PostgreSQL', (): KyselyStage => {
  let db: Database;
  beforeAll(async () => {
    db = await openDatabase({ url: await sharedPostgresDatabase(), name: false, log: 'silent' });
    await db.script(
      `create table users (id int primary key generated always as identity, name text not null,
        email text not null unique)`,
    );
  });
  afterAll(() => db.close({ timeoutMs: 1_000 }));
  return {
    get db() {
      return db;
    },
    get kysely() {
      return new Kysely<Tables>({ dialect: new MillpondDialect(db) });
    },
    endless: 'select pg_sleep(60)',
  };
});
