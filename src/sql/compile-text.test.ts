import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../test/fixtures/refusal-of.ts';
import { compile, type Params } from './compile.ts';
import type { Dialect } from './dialect.ts';
import { sql } from './sql.ts';

const SECRET = 'hunter2';

/** The refusal's message, which must never tell the secret. */
function refusal(query: string, params?: unknown, dialect: Dialect = 'sqlite'): string {
  const message = refusalOf(() => compile(query, params as Params, dialect));
  expect(message).not.toContain(SECRET);
  return message;
}

describe('a text with names', () => {
  test('is numbered in the order of first use, and a name used again keeps its number', () => {
    const params = { b: 2, a: 1 };
    expect(compile('select :a, :b, :a', params, 'sqlite')).toEqual({
      text: 'select ?1, ?2, ?1',
      params: [1, 2],
    });
    expect(compile('select :a, :b, :a', params, 'postgres')).toEqual({
      text: 'select $1, $2, $1',
      params: [1, 2],
    });
    expect(compile('select :a, :b, :a', { a: 3, b: 4 }, 'sqlite').params).toEqual([3, 4]);
  });

  test('names what is missing and what is unused in one message', () => {
    expect(refusal('select :name, :age', { nmae: SECRET, age: 1 })).toBe(
      'The parameters do not fit the text: no value for :name; no placeholder for nmae.',
    );
    expect(refusal('select :a', {})).toBe('The parameters do not fit the text: no value for :a.');
    expect(refusal('select :a', { a: 1, b: SECRET })).toBe(
      'The parameters do not fit the text: no placeholder for b.',
    );
    expect(refusal('select 1', { a: SECRET })).toBe(
      'The parameters do not fit the text: no placeholder for a.',
    );
    expect(refusal('select :a')).toContain(':a has no value');
  });

  test('keeps messages short, whatever the keys are', () => {
    const keys = Array.from({ length: 1_000 }, (_, index) => [`key ${index}\n${'x'.repeat(500)}`, SECRET]);
    const message = refusal('select 1', Object.fromEntries(keys));
    expect(message).toContain('"key 0\\nxxx');
    expect(message).toContain('and 990 more');
    expect(message.length).toBeLessThan(1_000);
  });

  test('B17: refuses undefined, functions, symbols and fragments by name', () => {
    expect(refusal('select :a, :b', { a: 1, b: undefined })).toBe(
      'Parameter :b is undefined; bind null to mean no value.',
    );
    expect(refusal('select :a', { a: () => SECRET })).toContain('Parameter :a is a function');
    expect(refusal('select :a', { a: Symbol(SECRET) })).toContain('Parameter :a is a symbol');
    expect(refusal('select :a', { a: sql`now()` })).toContain('Parameter :a is an sql fragment');
  });

  test('C52: reads own properties only', () => {
    expect(refusal('select :constructor', {})).toContain('no value for :constructor');
    expect(refusal('select :__proto__', {})).toContain('no value for :__proto__');
    const own = JSON.parse('{"__proto__": 1}') as Params;
    expect(compile('select :__proto__', own, 'sqlite').params).toEqual([1]);
    expect(refusal('select :a', Object.create({ a: 1 }))).toContain('no value for :a');
  });

  test('takes instances of classes and objects without prototype, with properties that do not show', () => {
    class Input {
      readonly id = 7;
    }
    expect(compile('select :id', new Input(), 'sqlite').params).toEqual([7]);
    expect(compile('select :id', Object.assign(Object.create(null), { id: 8 }), 'sqlite').params).toEqual([
      8,
    ]);
    const hidden = Object.defineProperty({}, 'id', { value: 9 });
    expect(compile('select :id', hidden, 'sqlite').params).toEqual([9]);
    expect(
      compile('select :id', Object.assign(Object.create({ inherited: 1 }), { id: 10 }), 'sqlite').params,
    ).toEqual([10]);
  });

  test('refuses what is no object of parameters', () => {
    expect(refusal('select :a', new Map([['a', SECRET]]))).toContain('a plain object, not a Map');
    expect(refusal('select 1', new Date())).toContain('a plain object, not a Date');
    expect(refusal('select 1', new Uint8Array(3))).toContain('not a Uint8Array');
    expect(refusal('select :a', SECRET)).toContain('not a string');
    expect(refusal('select :a', null)).toContain('not null');
    expect(refusal('select 1', 5n)).toContain('not a bigint');
    expect(refusal('select 1', () => SECRET)).toContain('not a function');
    expect(refusal('select :a', sql`${SECRET}`)).toContain('not an sql fragment');
  });

  test('refuses an array, with a hint about slices on PostgreSQL', () => {
    expect(refusal('select :a', [1])).toContain('The text has :a and no array can fill it');
    expect(refusal('select a[:n]', [], 'postgres')).toContain(
      'In an array slice, put a blank behind the colon.',
    );
  });

  test('refuses positions beside names', () => {
    expect(refusal('select ?, :a', { a: 1 })).toContain('positional placeholders beside :a');
    expect(refusal('select ?, :a', [1])).toContain('no array can fill it');
    expect(refusal('select $1, :a', { a: 1 }, 'postgres')).toContain('positional placeholders beside :a');
    expect(compile('select $1, a[:n]', [1], 'postgres')).toEqual({ text: 'select $1, a[:n]', params: [1] });
  });

  test('C62: takes at most 65,535 names', () => {
    const names = Array.from({ length: 65_536 }, (_, index) => `n${index}`);
    const text = names.map((name) => `:${name}`).join();
    const params = Object.fromEntries(names.map((name) => [name, 1]));
    expect(refusal(text, params)).toContain('at most 65535 values, not 65536');
  });
});

describe('a text with positions', () => {
  test('passes through untouched, with a copy of the array', () => {
    const given = [1, 'x'];
    const compiled = compile('select ?, ?', given, 'sqlite');
    given[0] = 9;
    expect(compiled).toEqual({ text: 'select ?, ?', params: [1, 'x'] });
    expect(compile('select $2, $1', [1, 2], 'postgres')).toEqual({ text: 'select $2, $1', params: [1, 2] });
    expect(compile('select ?2, ?1, ?', [1, 2, 3], 'sqlite').params).toEqual([1, 2, 3]);
  });

  test('is refused with another number of values, of which SQLite would bind NULL for the missing', () => {
    expect(refusal('select ?, ?', [SECRET])).toBe('The text asks for 2 values, and 1 was given.');
    expect(refusal('select ?', [SECRET, SECRET])).toBe('The text asks for 1 value, and 2 were given.');
    expect(refusal('select ?')).toBe('The text asks for 1 value, and 0 were given.');
    expect(refusal('select ?5', [1])).toContain('asks for 5 values');
    expect(refusal('select ?', [1], 'postgres')).toContain('On PostgreSQL placeholders are $1, $2, or :name');
  });

  test('may have $1 of its own on PostgreSQL, in the body of a function', () => {
    const text = 'create function f(int) returns int begin atomic; select $1; end';
    expect(compile(text, undefined, 'postgres')).toEqual({ text, params: [] });
  });

  test('B17: refuses undefined, holes, functions, symbols and fragments by position', () => {
    expect(refusal('select ?, ?', [1, undefined])).toBe(
      'Parameter 2 is undefined; bind null to mean no value.',
    );
    // oxlint-disable-next-line no-sparse-arrays -- the hole is what is tested
    expect(refusal('select ?, ?', [, 1])).toContain('Parameter 1 is undefined');
    expect(refusal('select ?', [() => SECRET])).toContain('Parameter 1 is a function');
    expect(refusal('select ?', [sql`now()`])).toContain('Parameter 1 is an sql fragment');
  });

  test('refuses an object', () => {
    expect(refusal('select ?', { a: 1 })).toContain('positional placeholders, which no object fills');
    expect(refusal('select $1', {}, 'postgres')).toContain('positional placeholders, which no object fills');
  });

  test('C62: takes at most 65,535 values', () => {
    expect(
      refusal(
        'select ?65536',
        Array.from({ length: 65_536 }, () => 1),
      ),
    ).toContain('at most 65535 values');
  });

  test('refuses the placeholders of SQLite alone, whose order is the order of their use', () => {
    expect(refusal('select $2, $1', [1, 2])).toContain(
      "The placeholder $2 would be filled in an order of SQLite's own",
    );
    expect(refusal('select @a', { a: 1 })).toContain('The placeholder @a');
    expect(refusal('select :1')).toContain('The placeholder :1');
  });
});

describe('any text', () => {
  test('without placeholders needs no parameters, and takes empty ones', () => {
    for (const params of [undefined, [], {}]) {
      expect(compile('select 1', params, 'sqlite')).toEqual({ text: 'select 1', params: [] });
    }
  });

  test('C62: is refused with NUL, behind which the engine would ignore it', () => {
    expect(refusal('select 1\0; drop table t')).toContain(
      'NUL character at index 8; what follows would be ignored',
    );
    expect(refusal("select '\udfff'")).toContain('half a surrogate pair');
  });

  test('C62: is refused when it is long enough to hold up the event loop', () => {
    expect(refusal(' '.repeat(4_000_001))).toContain('at most 4000000 characters, not 4000001');
  });

  test('is a string', () => {
    expect(refusal(undefined as unknown as string)).toContain(
      'a string or an sql`…` template, not undefined',
    );
    expect(refusal({ text: 'select 1' } as unknown as string)).toContain('not an Object');
    expect(refusal(Buffer.from('select 1') as unknown as string)).toContain('not a Uint8Array');
    expect(refusal(['select 1'] as unknown as string)).toContain('not an array');
  });
});
