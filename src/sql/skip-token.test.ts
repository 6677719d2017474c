import { expect, test } from 'vitest';
import type { Dialect } from './dialect.ts';
import { pastToken } from './skip-token.ts';

function tokens(text: string, dialect: Dialect): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = pastToken(text, at, dialect);
    found.push(text.slice(at, end));
    at = end;
  }
  return found;
}

test.each([
  // https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-PARAMETERS-POSITIONAL
  ['a parameter ends with its digits', '$12abc', ['$12', 'abc']],
  ['a dollar quote may stand right behind a parameter', '$1$a$;$a$', ['$1', '$a$;$a$']],
  ['a dollar inside a word begins nothing', 'a$b$;c', ['a$b$', ';', 'c']],
  ['a tag does not begin with a digit', '$$;$$$a;', ['$$;$$', '$', 'a', ';']],
  [
    'a lone E before a quote hides what is behind a backslash',
    String.raw`E'\';'e`,
    [String.raw`E'\';'`, 'e'],
  ],
  ['a word that ends in e is no escape string', String.raw`the'\';`, ['the', String.raw`'\'`, ';']],
  ['comments nest', '/*/*;*/*/;--;\r;', ['/*/*;*/*/', ';', '--;', '\r', ';']],
  ['brackets and backticks quote nothing', '[;`;', ['[', ';', '`', ';']],
])('on PostgreSQL %s', (_name, text, expected) => {
  expect(tokens(text, 'postgres')).toEqual(expected);
});

test.each([
  ['brackets and backticks quote names', '[;]`;`";"', ['[;]', '`;`', '";"']],
  ['comments do not nest', '/*/*;*/*/', ['/*/*;*/', '*', '/']],
  ['a line comment ends with the line', '--;\r;\n;', ['--;\r;', '\n', ';']],
  ['an E before a quote is a word', String.raw`E'\';`, ['E', String.raw`'\'`, ';']],
  ['dollars quote nothing', '$$;$$', ['$', '$', ';', '$', '$']],
])('on SQLite %s', (_name, text, expected) => {
  expect(tokens(text, 'sqlite')).toEqual(expected);
});

test('what is never closed ends with the text', () => {
  for (const text of ["'a", '"a', '/*a', '--a', '$a$b', String.raw`e'\'`, '$1']) {
    expect(tokens(text, 'postgres')).toEqual([text]);
  }
});
