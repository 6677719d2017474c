import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../errors/index.ts';
import { DatabaseSync } from './binding.ts';
import type { StatementAnalysis } from './statement-analysis.ts';
import { StatementStore } from './statement-store.ts';

let database: DatabaseSync;
let store: StatementStore;

beforeAll(() => {
  database = new DatabaseSync(':memory:');
  database.exec(`
    create table a (id integer primary key, x unique);
    create table b (id integer primary key, a_id integer references a (id) on delete cascade);
    create table log (what text);
    create table numbered (id integer primary key autoincrement);
    create table pairs (x primary key) without rowid;
    create view both as select a.x, b.id from a join b on b.a_id = a.id;
    create trigger a_changes after update on a begin insert into log values ('a'); end;
    create trigger both_inserts instead of insert on both begin insert into a (x) values (new.x); end;
    create virtual table texts using fts5 (body);
    create virtual table found using fts5 (what, content='log');
    create virtual table seen using fts5 (x, content='both');
    create virtual table words using fts5vocab ('texts', 'row');
  `);
  store = new StatementStore(database, 100);
});
afterAll(() => database.close());

function analyze(text: string): StatementAnalysis {
  return store.prepareFresh(text).analysis;
}

describe('a read', () => {
  test.each([
    ['select * from a', ['a']],
    ['select 1', []],
    ['with w as (select * from a) select * from w, b', ['a', 'b']],
    ['select * from both', ['a', 'b', 'both']],
    ['select (select count(*) from log) from a', ['a', 'log']],
    ['explain query plan select * from a', ['a']],
    ["select * from texts where texts match 'word'", ['texts']],
  ])('%s names its tables (X4)', (text, tables) => {
    const analysis = analyze(text);
    expect(analysis).toMatchObject({ writes: false, changesSchema: false, inspectsConnection: false });
    expect(analysis.tablesRead.filter((name) => !name.startsWith('texts_')).toSorted()).toEqual(tables);
  });
});

describe('a read of more than it names (X4, B15)', () => {
  test.each([
    'select term from words',
    'select x from seen',
    'select count(*) from texts_content',
    'select seq from sqlite_sequence',
    'select name from sqlite_schema',
    'pragma user_version',
    'pragma table_info(a)',
    "select name from pragma_table_info('a')",
  ])('%s', (text) => {
    expect(analyze(text)).toMatchObject({ writes: false, readsUnnamed: true });
  });

  test.each([
    'select * from a',
    'select * from both',
    "select * from texts where texts match 'word'",
    'select value from a, json_each(a.x)',
  ])('is not: %s', (text) => {
    expect(analyze(text)).toMatchObject({ writes: false, readsUnnamed: false });
  });

  test('is one of the table behind an index that has no content of its own', () => {
    for (const text of ["select what from found where found match 'word'", 'select count(*) from FOUND']) {
      const { readsUnnamed, tablesRead } = analyze(text);
      expect([readsUnnamed, tablesRead.includes('log')]).toEqual([false, true]);
    }
  });

  test('is known as soon as the schema is another', () => {
    expect(analyze('select * from log')).toMatchObject({ readsUnnamed: false });
    const create = store.prepareFresh(
      "create virtual table later using fts5 (what, content='log', content_rowid='rowid')",
    );
    create.run([]);
    expect(analyze('select what from later')).toMatchObject({ tablesRead: ['later', 'log'] });
    store.prepareFresh('drop table later').run([]);
  });
});

describe('a write', () => {
  test.each([
    ['insert into a (x) values (1)', ['a'], 'a'],
    ['insert or replace into a (x) values (1)', ['a', 'b'], 'a'],
    ['insert into a (x) values (1) returning id', ['a'], 'a'],
    ['insert into a (x) values (1) on conflict (x) do nothing', ['a'], 'a'],
    ['insert into a (x) values (1) on conflict (x) do update set x = 2', ['a', 'log'], undefined],
    ['with w as (select 1) insert into a (x) select * from w', ['a'], 'a'],
    ['update a set x = 2', ['a', 'log'], undefined],
    ['delete from a', ['a', 'b'], undefined],
    ['insert into both (x) values (1)', ['a', 'both'], 'both'],
    ['replace into pairs values (1)', ['pairs'], 'pairs'],
  ])('%s names its tables, those of triggers and cascades included (X4)', (text, tables, insertsInto) => {
    const analysis = analyze(text);
    expect(analysis).toMatchObject({ writes: true, changesSchema: false, insertsInto });
    expect(analysis.tablesWritten.toSorted()).toEqual(tables);
  });

  test.each([
    'create table c (x)',
    'create table c as select * from a',
    'create index c on a (x)',
    'create view c as select 1',
    'create trigger c after insert on a begin select 1; end',
    'drop table log',
    'alter table a add column y',
    'alter table a rename to c',
    'reindex',
    'analyze',
    'create virtual table c using fts5 (x)',
    'pragma user_version = 5',
    'pragma application_id = 5',
  ])('%s changes the schema or its header', (text) => {
    expect(analyze(text)).toMatchObject({ writes: true, changesSchema: true });
  });
});

describe('a pragma', () => {
  test.each([
    'pragma user_version',
    'PRAGMA Journal_Mode',
    'pragma table_info(a)',
    "pragma table_info = 'a'",
    'pragma integrity_check(5)',
    'pragma main.page_count',
  ])('%s looks, and for one connection', (text) => {
    expect(analyze(text)).toMatchObject({ writes: false, inspectsConnection: true });
  });

  test.each([
    'pragma synchronous = off',
    'pragma foreign_keys = 0',
    'pragma journal_mode(delete)',
    'pragma query_only = 1',
    'pragma wal_checkpoint',
    'pragma optimize',
    'pragma cache_size = 5',
    'pragma writable_schema = 1',
    'pragma no_such_pragma',
  ])('%s is refused (B4)', (text) => {
    expect(() => analyze(text)).toThrow(UsageError);
    expect(() => analyze(text)).toThrow('docs/configuration.md');
  });
});

describe('what would pull the connection from under the pool', () => {
  test.each([
    ['begin', 'db.transaction'],
    ['commit', 'db.transaction'],
    ['END', 'db.transaction'],
    ['rollback', 'db.transaction'],
    ['savepoint s', 'SAVEPOINT'],
    ['release s', 'SAVEPOINT'],
    ["attach 'other.db' as other", 'openDatabase'],
    ['detach other', 'openDatabase'],
    ['create temp table t (x)', 'Temporary'],
    ['create temporary view t as select 1', 'Temporary'],
    ['create temp trigger t after insert on a begin select 1; end', 'Temporary'],
    ['vacuum', 'VACUUM'],
    ["vacuum into 'copy.db'", 'VACUUM'],
  ])('%s is refused, with what to do instead (B4)', (text, hint) => {
    expect(() => analyze(text)).toThrow(UsageError);
    expect(() => analyze(text)).toThrow(hint);
  });

  test('is not refused to the engine itself', () => {
    store.trusted((own) => own.exec('begin'));
    expect(database.isTransaction).toBe(true);
    store.trusted((own) => own.exec('rollback'));
    expect(() => analyze('begin')).toThrow(UsageError);
  });
});
