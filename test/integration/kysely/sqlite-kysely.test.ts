import { Kysely } from 'kysely';
import { MillpondDialect } from '../../../src/kysely/index.ts';
import { scratchForAll } from '../../fixtures/scratch-database.ts';
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
