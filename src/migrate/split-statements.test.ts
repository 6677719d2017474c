import { describe, expect, test } from 'vitest';
import type { Dialect } from '../sql/index.ts';
import { splitStatements } from './split-statements.ts';

const texts = (text: string, dialect: Dialect = 'sqlite') =>
  splitStatements(text, dialect).statements.map((one) => one.text);

describe.each(['sqlite', 'postgres'] as const)('C55: on %s a semicolon parts statements', (dialect) => {
  test.each([
    ['and nothing stands behind the last', 'select 1; select 2', ['select 1', 'select 2']],
    ['and blanks, comments and empty statements are none', ';; -- a;b\n /* ; */ select 1 ;\n;', ['select 1']],
    ["but not in a string, with '' in it", "select 'a;''b;'; select 2", ["select 'a;''b;'", 'select 2']],
    ['but not in a name', 'select ";""" ; select 2', ['select ";"""', 'select 2']],
    [
      'but not in a comment inside',
      'select 1 /* ; */ + 2 -- ;\n + 3; x',
      ['select 1 /* ; */ + 2 -- ;\n + 3', 'x'],
    ],
    [
      'as does the line of drizzle-kit',
      'select 1\n--> statement-breakpoint\nselect 2',
      ['select 1', 'select 2'],
    ],
    [
      'which changes nothing behind one',
      'select 1;--> statement-breakpoint\nselect 2;',
      ['select 1', 'select 2'],
    ],
  ])('%s', (_, text, expected) => {
    expect(texts(text, dialect)).toEqual(expected);
  });

  test.each([
    ["select 'a;", 'string', 7],
    ["select 'a''", 'string', 7],
    ['select "a;', 'name', 7],
    ['select 1; /* ;', 'comment', 10],
  ])('says where what never ends begins: %s', (text, what, start) => {
    expect(splitStatements(text, dialect).unclosed).toEqual({ what, start });
  });
});

describe('on SQLite', () => {
  test.each([
    ['a trigger', 'create trigger t after insert on a begin insert into b values (1); delete from c; end'],
    ['a temporary one', 'CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END'],
    [
      'one with CASE … END',
      'create trigger if not exists t after update on a begin ' +
        "update b set c = case when 1 then ';' else 2 end; select 1; end",
    ],
  ])('%s is one statement', (_, trigger) => {
    expect(texts(`${trigger};\nselect 2;`)).toEqual([trigger, 'select 2']);
    expect(texts(trigger)).toEqual([trigger]);
  });

  test('names may stand in [ ] and ` `', () => {
    expect(texts('select [;], `;`; select 2')).toEqual(['select [;], `;`', 'select 2']);
    expect(splitStatements('select [a', 'sqlite').unclosed).toEqual({ what: 'name', start: 7 });
  });

  test('a dollar quotes nothing', () => {
    expect(texts('select $$; select 2')).toEqual(['select $$', 'select 2']);
  });
});

describe('on PostgreSQL', () => {
  test.each([
    [
      'a dollar-quoted body',
      'create function f() returns int as $$ begin return 1; end; $$ language plpgsql',
    ],
    ['one with a tag', 'do $a$ begin perform $$;$$; end; $a$'],
    ["an escape string with \\' in it", "select E'a\\';b'"],
    [
      'a function with BEGIN ATOMIC',
      'create or replace function f() returns int begin atomic select case when true then 1 end; select ' +
        '2; end',
    ],
    [
      'a rule in parentheses',
      'create rule r as on insert to a do (insert into b values (1); insert into c values (2))',
    ],
    ['a nested comment', 'select /* a /* ; */ ; */ 1'],
  ])('%s is one statement', (_, statement) => {
    expect(texts(`${statement}; select 2`, 'postgres')).toEqual([statement, 'select 2']);
  });

  test('[ ] is no name', () => {
    expect(texts("select a[1]; select '{}'", 'postgres')).toEqual(['select a[1]', "select '{}'"]);
  });

  test('says where a dollar quote that never ends begins', () => {
    expect(splitStatements('do $a$ begin; end $b$', 'postgres').unclosed).toEqual({
      what: 'dollar-quoted string',
      start: 3,
    });
  });
});

test('gives the first words, in small letters, without comments', () => {
  expect(splitStatements('/* x */ PRAGMA Foreign_Keys=OFF', 'sqlite').statements[0]?.words).toEqual([
    'pragma',
    'foreign_keys',
    '=',
    'off',
  ]);
});
