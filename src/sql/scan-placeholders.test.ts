import { describe, expect, test } from 'vitest';
import type { Dialect } from './dialect.ts';
import { scanPlaceholders } from './scan-placeholders.ts';

const found = (text: string, dialect: Dialect): string[] =>
  scanPlaceholders(text, dialect).map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`);
const both = (text: string): string[] => {
  expect(found(text, 'sqlite')).toEqual(found(text, 'postgres'));
  return found(text, 'sqlite');
};

describe('on both engines', () => {
  test('finds names, also where no blank is around them', () => {
    expect(both('select :a,(:b)+:c_1*:größe')).toEqual([
      'named :a',
      'named :b',
      'named :c_1',
      'named :größe',
    ]);
    expect(both('where id=:id')).toEqual(['named :id']);
    expect(both(':a')).toEqual(['named :a']);
  });

  test.each([
    ["'…' strings", "select ':a', 'it''s :b', ':'''"],
    ['"…" names', 'select ":a", "say "":b"""'],
    ['line comments', 'select 1 -- :a\n'],
    ['line comments at the end', 'select 1 --:a'],
    ['block comments', 'select /* :a */ 1 /**/ /*/ :a */ /*:b'],
    ['casts', "select '1'::text, x::int"],
    ['assignments', 'f(a := 1, b:=2)'],
    ['a colon alone', 'a : b :'],
    ['an open string', "select ':a"],
    ['an open name', 'select ":a'],
  ])('leaves %s alone', (_what, text) => {
    expect(both(text)).toEqual([]);
  });

  test('goes on behind what it left alone', () => {
    expect(both("':a':: :b")).toEqual(['named :b']);
    expect(both('/* :a */:b')).toEqual(['named :b']);
    expect(both('-- :a\n:b')).toEqual(['named :b']);
    expect(both('select 1 - :b / :c')).toEqual(['named :b', 'named :c']);
    expect(both(':a::int')).toEqual(['named :a']);
  });
});

describe('on SQLite', () => {
  test('finds ? with and without a number', () => {
    expect(found('? ?12 ??', 'sqlite')).toEqual(['next ?', 'numbered ?12', 'next ?', 'next ?']);
  });

  test('tells the placeholders that no other engine knows', () => {
    expect(found('@a $b :1 $1 @1', 'sqlite')).toEqual([
      'foreign @a',
      'foreign $b',
      'foreign :1',
      'foreign $1',
      'foreign @1',
    ]);
  });

  test('leaves `…` and […] names alone', () => {
    expect(found('select `:a`, [:b], `x``:c`, [it is ?]', 'sqlite')).toEqual([]);
    expect(found('select [:a', 'sqlite')).toEqual([]);
  });

  test('takes a backslash for a character, and the first */ for the end', () => {
    expect(found(String.raw`E'\' :a`, 'sqlite')).toEqual(['named :a']);
    expect(found('/* /* */ :a', 'sqlite')).toEqual(['named :a']);
  });

  test('reads a comment on over a carriage return', () => {
    expect(found('-- x\r:a\n:b', 'sqlite')).toEqual(['named :b']);
  });

  test('takes JSON operators and lone signs for what they are', () => {
    expect(found(`a ->> '$.b' @ $ # x$y`, 'sqlite')).toEqual([]);
    expect(found('x:a', 'sqlite')).toEqual(['named :a']);
  });
});

describe('on PostgreSQL', () => {
  test('finds $1, but not in a name', () => {
    expect(found('$1 + $23 + a$1', 'postgres')).toEqual(['numbered $1', 'numbered $23']);
  });

  test.each([
    ['dollar quotes', '$$ :a $1 $$ $tag$ :a $$ $ta$ $tag$ $ünï$ :b $ünï$'],
    ['an open dollar quote', '$a$ :a $b$'],
    ['E strings', String.raw`E'\' :a' e'\\' E'it''s \' :b' E'open \' :c`],
    ['E strings that go on in the next line', `E'a'\n  -- it's\n  '\\' :a'`],
    ['nested comments', '/* /* */ :a */'],
    ['open nested comments', '/* /* */ :a'],
    ['JSON and other operators with ?', "a ? 'b' and a ?| b and a ?& b and a @? c and a -> 'x' #>> y"],
    ['array slices', 'a[1:2], a[lo:hi], a[f(x):n], a[b[1]:n], a["x":n], a[:2], a[:]'],
    ['json_object', "json_object('a':b)"],
  ])('leaves %s alone', (_what, text) => {
    expect(found(text, 'postgres')).toEqual([]);
  });

  test('goes on behind what it left alone', () => {
    expect(found('$$ x $$ :a', 'postgres')).toEqual(['named :a']);
    expect(found('$a $b$ :x $b$ :y $c', 'postgres')).toEqual(['named :y']);
    expect(found(String.raw`E'\\' :a`, 'postgres')).toEqual(['named :a']);
    expect(found(String.raw`typE'\' :a`, 'postgres')).toEqual(['named :a']);
    expect(found(String.raw`else'\' :a`, 'postgres')).toEqual(['named :a']);
    expect(found("E'a' '\\' :a", 'postgres')).toEqual(['named :a']);
    expect(found("E'a'\n:a", 'postgres')).toEqual(['named :a']);
    expect(found('/* /* */ */ :a', 'postgres')).toEqual(['named :a']);
    expect(found('-- x\r:a', 'postgres')).toEqual(['named :a']);
    expect(found('a[ :lo : :hi ]', 'postgres')).toEqual(['named :lo', 'named :hi']);
    expect(found('`:a`', 'postgres')).toEqual(['named :a']);
    expect(found('a ? :key', 'postgres')).toEqual(['named :key']);
  });
});
