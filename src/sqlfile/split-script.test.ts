import { expect, test } from 'vitest';
import { splitScript } from './split-script.ts';

test.each([
  ['delete from a; delete from b;', ['delete from a', 'delete from b']],
  ['-- first;\ndelete from a -- second;\n;/* ; */;\n', ['delete from a']],
  [
    "insert into a values (';', ';', $$;$$, E'\\';');x",
    ["insert into a values (';', ';', $$;$$, E'\\';')", 'x'],
  ],
  ['delete from "a;b"; select 1 /* ; */ + 1', ['delete from "a;b"', 'select 1 /* ; */ + 1']],
  ['', []],
])('the statements of %j are %j', (text, statements) => {
  expect(splitScript(text)).toEqual(statements);
});
