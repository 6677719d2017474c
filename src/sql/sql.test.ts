import { describe, expect, test } from 'vitest';
import { UsageError } from '../errors/index.ts';
import { compile } from './compile.ts';
import { Sql, sql } from './sql.ts';

const text = (query: Sql): string => compile(query, undefined, 'sqlite').text;
const params = (query: Sql): readonly unknown[] => compile(query, undefined, 'sqlite').params;

describe('the sql tag', () => {
  test('keeps values apart from the text', () => {
    const query = sql`select * from users where id = ${1} and name = ${"'; drop table users; --"}`;
    expect(query.strings).toEqual(['select * from users where id = ', ' and name = ', '']);
    expect(query.values).toEqual([1, "'; drop table users; --"]);
  });

  test('refuses to be called with a text, which would become SQL', () => {
    for (const wrong of ['select 1', ['select 1'], undefined, null, { length: 1 }]) {
      expect(() => (sql as unknown as (text: unknown) => Sql)(wrong)).toThrow(UsageError);
    }
  });

  test('refuses strings and values that do not alternate', () => {
    expect(() => new Sql(['select 1'], [1])).toThrow('one string more than values, not 1 for 1');
  });
});

describe('sql.id', () => {
  test('quotes a name, and each part of a qualified one', () => {
    expect(text(sql.id('users'))).toBe('"users"');
    expect(text(sql.id('app', 'users'))).toBe('"app"."users"');
    expect(text(sql.id('app', 'users', 'id'))).toBe('"app"."users"."id"');
  });

  test('C61: doubles quotes, so that no name ends itself', () => {
    expect(text(sql.id('a"; drop table users; --'))).toBe('"a""; drop table users; --"');
    expect(text(sql.id('“ʺ＂'))).toBe('"“ʺ＂"');
    expect(text(sql`select ${sql.id(':id ? $1')} from t where id = ${1}`)).toBe(
      'select ":id ? $1" from t where id = ?',
    );
  });

  test('C61: refuses empty names, NUL, lone surrogates, and what is not a string', () => {
    const wrong = [
      '',
      'a\0b',
      '\ud800',
      'a\udc00',
      1,
      null,
      undefined,
      ['users'],
      { toString: () => 'users' },
    ];
    for (const name of wrong) expect(() => sql.id(name as string)).toThrow(UsageError);
    for (const name of wrong) expect(() => sql.id('app', name as string)).toThrow(UsageError);
    expect(() => (sql.id as () => Sql)()).toThrow('sql.id needs a name');
  });
});

describe('sql.join', () => {
  test('joins values with commas', () => {
    const query = sql`select * from t where id in (${sql.join([1, 2, 3])})`;
    expect(text(query)).toBe('select * from t where id in (?, ?, ?)');
    expect(params(query)).toEqual([1, 2, 3]);
  });

  test('joins fragments and values with any fragment', () => {
    const conditions = [sql`a = ${1}`, sql`b is null`, sql`c = ${2}`];
    expect(text(sql.join(conditions, sql` and `))).toBe('a = ? and b is null and c = ?');
    const query = sql.join([1, sql`now()`, 2], sql` + ${9} + `);
    expect(text(query)).toBe('? + ? + now() + ? + ?');
    expect(params(query)).toEqual([1, 9, 9, 2]);
  });

  test('joins one item to itself and none to nothing', () => {
    expect(text(sql.join([7]))).toBe('?');
    expect(text(sql`select 1${sql.join([])}`)).toBe('select 1');
  });

  test('keeps its own copy of the items', () => {
    const items = [1, 2];
    const joined = sql.join(items);
    items.push(3);
    expect(params(joined)).toEqual([1, 2]);
  });

  test('refuses a separator that is a string, and items that are no array', () => {
    expect(() => sql.join([1, 2], ', ' as unknown as Sql)).toThrow('such as sql` and `, not a string');
    expect(() => sql.join('abc' as unknown as string[])).toThrow('sql.join needs an array, not a string');
  });
});

describe('sql.raw and sql.empty', () => {
  test('raw is text as it is', () => {
    expect(text(sql`select 1 ${sql.raw('limit 1')}`)).toBe('select 1 limit 1');
    expect(() => sql.raw(1 as unknown as string)).toThrow('sql.raw needs a string, not a number');
  });

  test('empty is nothing', () => {
    expect(text(sql`select 1${sql.empty}`)).toBe('select 1');
  });
});
