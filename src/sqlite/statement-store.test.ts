import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from '../errors/index.ts';
import { DatabaseSync } from './binding.ts';
import { StatementStore } from './statement-store.ts';

let database: DatabaseSync;
let store: StatementStore;

beforeEach(() => {
  database = new DatabaseSync(':memory:');
  database.exec(
    'create table t (id integer primary key, x); create table pairs (x primary key) without rowid',
  );
  store = new StatementStore(database, 4);
});
afterEach(() => database.close());

describe('the store', () => {
  test('prepares a text once', () => {
    expect(store.prepare('select 1')).toBe(store.prepare('select 1'));
    expect(store.prepareFresh('select 1')).not.toBe(store.prepare('select 1'));
  });

  test('drops what was not used for longest', () => {
    const kept = store.prepare('select 0');
    const dropped = store.prepare('select 1');
    for (const text of ['select 2', 'select 3', 'select 4', 'select 5']) {
      store.prepare(text);
      store.prepare('select 0');
    }
    expect(store.prepare('select 0')).toBe(kept);
    expect(store.prepare('select 1')).not.toBe(dropped);
  });

  test('refuses several statements, none, and NUL', () => {
    expect(() => store.prepare('select 1; select 2')).toThrow('more than one statement');
    expect(store.prepare('select 1; -- done').all([])).toEqual([[1]]);
    expect(() => store.prepare('')).toThrow(UsageError);
    expect(() => store.prepare(' -- nothing')).toThrow(UsageError);
    expect(() => store.prepare('select 1\0; drop table t')).toThrow('NUL');
  });

  test('refuses more or fewer values than the statement asks for, which SQLite would accept', () => {
    const statement = store.prepare('select ?, ?3');
    expect(() => statement.all([1, 2])).toThrow('has 3 parameters, and 2 values were given');
    expect(() => statement.all([1, 2, 3, 4])).toThrow('and 4 values were given');
    expect(statement.all([1, 2, 3])).toEqual([[1, 3]]);
    expect(() => store.prepare('select ?').get([])).toThrow('has 1 parameter, and 0 values were given');
    expect(() => store.prepare('select 1').get([1])).toThrow('has 0 parameters, and 1 value was given');
    const many = Array.from({ length: 1_000 }, (_, index) => index);
    expect(
      store
        .prepare(
          `select ? in (${many
            .slice(1)
            .map(() => '?')
            .join()})`,
        )
        .get(many),
    ).toEqual([0]);
  });

  test('knows tables without a rowid of their own, until the schema changes', () => {
    expect(['t', 'pairs', 'nowhere'].map((table) => store.schema.hasRowid(table))).toEqual([
      true,
      false,
      false,
    ]);
    store.prepare('alter table pairs rename to nowhere').run([]);
    store.prepare('create table pairs (x)').run([]);
    expect(store.schema.hasRowid('pairs')).toBe(true);
  });
});

describe('a statement', () => {
  test('reads integers beyond 2^53 as bigints, and all others as numbers', () => {
    const text = 'select column1 from (values (1), (9007199254740993), (1.5))';
    expect(store.prepare(text).all([])).toEqual([[1], [2n ** 53n + 1n], [1.5]]);
    expect(store.prepare('select 9007199254740993, 2').get([])).toEqual([2n ** 53n + 1n, 2]);
    expect([...store.prepareFresh('select 7').iterate([])]).toEqual([[7]]);
  });

  test('does not run a write twice to read such an integer', () => {
    const insert = store.prepare('insert into t (x) values (?) returning x, id');
    expect(insert.all([2n ** 60n])).toEqual([[2n ** 60n, 1]]);
    expect(store.prepare('select count(*) from t').get([])).toEqual([1]);
  });

  test('tells the last rowid as a number where one holds it, whatever mode it reads in', () => {
    expect(store.prepare('insert into t (x) values (1) returning x').run([])).toEqual({
      changes: 1,
      lastInsertRowid: 1,
    });
    store.prepare('insert into t (id) values (9007199254740993)').run([]);
    expect(store.lastInsertRowid()).toBe(2n ** 53n + 1n);
  });

  test('notices that its columns have changed, by each way of running it', () => {
    const read = store.prepare('select * from t');
    const { columnsVersion } = read;
    expect(read.columns).toEqual(['id', 'x']);
    store.trusted((own) => own.exec("insert into t values (1, 'a')"));
    const runs: Record<string, () => unknown> = {
      all: () => read.all([]),
      get: () => read.get([]),
      iterate: () => [...read.iterate([])],
    };
    Object.entries(runs).forEach(([name, run], index) => {
      store.trusted((own) => own.exec(`alter table t add column y${index}`));
      run();
      expect(read.columns.at(-1), name).toBe(`y${index}`);
    });
    expect(read.columnsVersion).not.toBe(columnsVersion);
  });

  test.each(['all', 'get', 'iterate'] as const)('says each time why %s() fails, and works again', (how) => {
    const read = store.prepare('select x from t');
    const run = (): unknown => (how === 'iterate' ? [...read.iterate([])] : read[how]([]));
    for (let failures = 1; failures <= 3; failures += 1) {
      store.trusted((own) => own.exec('alter table t rename to away'));
      for (let time = 0; time < failures; time += 1) {
        expect(run).toThrow('no such table: t');
        // Success in between clears what SQLite says of the last failure.
        store.trusted((own) => own.exec('begin; commit'));
      }
      store.trusted((own) => own.exec('alter table away rename to t'));
      expect(run).not.toThrow();
    }
  });

  test('of two columns of one name gives arrays, and refuses objects', () => {
    const read = store.prepare('select 1 as a, 2 as a');
    expect(read.all([])).toEqual([[1, 2]]);
    expect(() => read.assertDistinctColumns()).toThrow('Two result columns are named "a"');
    expect(() => store.prepare('select 1 as a, 2 as A').assertDistinctColumns()).not.toThrow();
  });
});
