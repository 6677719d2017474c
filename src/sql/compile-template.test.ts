import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../test/fixtures/refusal-of.ts';
import { compile, type Params } from './compile.ts';
import type { Dialect } from './dialect.ts';
import { sql, type Sql } from './sql.ts';

const SECRET = 'hunter2';

/** The refusal's message, which must never tell the secret. */
function refusal(query: Sql, params?: unknown, dialect: Dialect = 'sqlite'): string {
  const message = refusalOf(() => compile(query, params as Params, dialect));
  expect(message).not.toContain(SECRET);
  return message;
}

describe('a template', () => {
  test('becomes positional placeholders of each engine', () => {
    const query = sql`select * from t where a = ${1} and b = ${'x'}`;
    expect(compile(query, undefined, 'sqlite')).toEqual({
      text: 'select * from t where a = ? and b = ?',
      params: [1, 'x'],
    });
    expect(compile(query, undefined, 'postgres')).toEqual({
      text: 'select * from t where a = $1 and b = $2',
      params: [1, 'x'],
    });
  });

  test('has one text for all its values, so that engines find their prepared statement', () => {
    const byId = (id: number): Sql => sql`select * from t where id = ${id}`;
    expect(compile(byId(1), undefined, 'sqlite')).toEqual({
      text: 'select * from t where id = ?',
      params: [1],
    });
    expect(compile(byId(2), undefined, 'sqlite')).toEqual({
      text: 'select * from t where id = ?',
      params: [2],
    });
    expect(compile(byId(3), undefined, 'postgres').text).toBe('select * from t where id = $1');
  });

  test('takes fragments at any place and depth', () => {
    const adult = sql`age >= ${18}`;
    const either = sql`(${adult} or ${sql`(${adult} and x = ${2})`})`;
    const query = sql`select ${sql.id('name')} from t where ${either} limit ${3}`;
    expect(compile(query, undefined, 'postgres')).toEqual({
      text: 'select "name" from t where (age >= $1 or (age >= $2 and x = $3)) limit $4',
      params: [18, 18, 2, 3],
    });
  });

  test('may hold a value at one call and a fragment at the next in the same place', () => {
    const where = (value: unknown): Sql => sql`select * from t where a = ${value}`;
    expect(compile(where(1), undefined, 'sqlite').text).toBe('select * from t where a = ?');
    expect(compile(where(sql`b`), undefined, 'sqlite').text).toBe('select * from t where a = b');
    expect(compile(where(2), undefined, 'sqlite').text).toBe('select * from t where a = ?');
  });

  test('is read again when its strings are not those of a template literal', () => {
    const strings = Object.assign(['select ', ''], { raw: ['select ', ''] });
    const query = sql(strings, 1);
    expect(compile(query, undefined, 'sqlite').text).toBe('select ?');
    strings[0] = 'select 1 + ';
    expect(compile(query, undefined, 'sqlite').text).toBe('select 1 + ?');
  });

  test('hands arrays, objects and dates to the engine as they are', () => {
    const values = [[1, 2], { a: 1 }, new Date(0), new Uint8Array(2), null, 1n, true, -0, NaN];
    expect(compile(sql`f(${sql.join(values)})`, undefined, 'postgres').params).toEqual(values);
  });

  test('C62: may be nested deeper than functions can call each other', () => {
    let query = sql`${0}`;
    for (let depth = 1; depth <= 20_000; depth += 1) query = sql`${depth}, ${query}`;
    expect(compile(query, undefined, 'sqlite').params).toHaveLength(20_001);
  });

  test('C62: is refused when fragments hold each other over and over', () => {
    let empty = sql.empty;
    let long = sql`select ${sql.raw('x'.repeat(100))}`;
    for (let depth = 0; depth < 40; depth += 1) {
      empty = sql`${empty}${empty}`;
      long = sql`${long}${long}`;
    }
    expect(refusal(empty)).toBe('The sql template has more than 1000000 pieces.');
    expect(refusal(long)).toMatch(/^An SQL text has at most 4000000 characters, not 4000\d\d\d/);
  });

  test('B17: refuses undefined, functions and symbols, by position and without the value', () => {
    expect(refusal(sql`select ${1}, ${undefined}`)).toBe(
      'Value 2 of the sql template is undefined; bind null to mean no value.',
    );
    expect(refusal(sql`select ${() => SECRET}`)).toBe(
      'Value 1 of the sql template is a function, which no engine can bind.',
    );
    expect(refusal(sql`select ${Symbol(SECRET)}`)).toContain('Value 1 of the sql template is a symbol');
    expect(refusal(sql`select ${sql`${1}, ${undefined}`}`)).toContain(
      'Value 2 of the sql template is undefined',
    );
  });

  test.each(['sqlite', 'postgres'] as const)('refuses a value that %s would read as text', (dialect) => {
    const message =
      'Value 1 of the sql template stands where none can: in quotes or a comment, or touching a word.';
    expect(refusal(sql`select '${SECRET}'`, undefined, dialect)).toBe(message);
    expect(refusal(sql`select "${SECRET}"`, undefined, dialect)).toBe(message);
    expect(refusal(sql`select 1 -- ${SECRET}`, undefined, dialect)).toBe(message);
    expect(refusal(sql`select 1 /* ${SECRET} */`, undefined, dialect)).toBe(message);
    expect(refusal(sql`select * from t where ${sql`a = '${SECRET}'`}`, undefined, dialect)).toBe(message);
    expect(refusal(sql`select ${1}, '${SECRET}'`, undefined, dialect)).toContain('Value 2');
  });

  test('refuses a value that would be part of a word or a number', () => {
    expect(refusal(sql`select * from t${1}`, undefined, 'postgres')).toContain('touching a word');
    expect(refusal(sql`select ${1}2`, undefined, 'postgres')).toContain('Value 1');
    expect(refusal(sql`select ${1}2`)).toContain('Value 1');
  });

  test('refuses placeholders of its own, which would take the place of values', () => {
    expect(refusal(sql`select ?, ${1}`)).toBe(
      'The sql template has a placeholder of its own, ?: put the value there as ${…}.',
    );
    expect(refusal(sql`select ${1}, :name`)).toContain(':name');
    expect(refusal(sql`select @x`)).toContain('@x');
    expect(refusal(sql`select $1, ${1}`, undefined, 'postgres')).toContain('$1');
    // The text is the same as that of a good template; only the places differ.
    expect(compile(sql`select '?', ${sql`${1}`}`, undefined, 'sqlite').text).toBe("select '?', ?");
    expect(refusal(sql`select '${sql`${1}`}', ?`)).toContain('Value 1 of the sql template stands');
  });

  test('takes an array slice and a ? operator on PostgreSQL', () => {
    const query = sql`select a[:n], b ? 'c' from t where id = ${1}`;
    expect(compile(query, undefined, 'postgres').text).toBe("select a[:n], b ? 'c' from t where id = $1");
  });

  test('C62: refuses NUL, lone surrogates and escapes that JavaScript cannot read', () => {
    expect(refusal(sql`select 1\0; drop table t`)).toContain('NUL character at index 8');
    expect(refusal(sql`select ${sql.raw("'\ud800'")}`)).toContain('half a surrogate pair');
    expect(refusal(sql`select '\u'`)).toContain('a backslash that begins no valid escape');
  });

  test('refuses parameters beside it', () => {
    expect(refusal(sql`select ${1}`, [1])).toContain('carries its values');
    expect(refusal(sql`select ${1}`, {})).toContain('carries its values');
  });

  test('C62: takes 65,535 values and refuses one more', () => {
    const values = Array.from({ length: 65_535 }, () => 1);
    expect(compile(sql`f(${sql.join(values)})`, undefined, 'postgres').params).toHaveLength(65_535);
    expect(refusal(sql`f(${sql.join([...values, 1])})`)).toContain('at most 65535 values, not 65536');
  });
});
