import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors/index.ts';
import { assertNoTransactionControl, leadingWord } from './statement-words.ts';

describe('the words of a text', () => {
  it.each([
    ['select 1', 'select'],
    ['  -- a comment\n /* and /* another */ */ ;; SELECT 1', 'select'],
    ['(select 1) union (select 2)', 'select'],
    ['', ''],
    ['-- nothing', ''],
    [';', ''],
  ])('%j begin with "%s"', (text, word) => {
    expect(leadingWord(text)).toBe(word);
  });

  it.each([
    'begin',
    'BEGIN ISOLATION LEVEL SERIALIZABLE',
    'start transaction',
    '/* x */ commit',
    '; rollback',
    'select 1; end',
    "insert into t values (';begin'); savepoint s",
    'select $$;$$; abort',
    "prepare transaction 'x'",
    "commit prepared 'x'",
    'create function f() returns int begin atomic select case when true then 1 end; end; release s',
  ])('that control transactions are refused: %j', (text) => {
    expect(() => assertNoTransactionControl(text)).toThrow(UsageError);
  });

  it.each([
    'select 1 as "begin"',
    "select ';commit'",
    "select E'\\'; commit'",
    'select $a$; rollback; $a$',
    'select 1 -- ; commit',
    'prepare p as select 1',
    'create function f() returns int language plpgsql as $$ begin return 1; end $$',
    'create function f() returns int begin atomic; select 1; select case when true then 2 end; end; select 2',
    'update t set start = 1',
  ])('that do not are let through: %j', (text) => {
    expect(() => assertNoTransactionControl(text)).not.toThrow();
  });
});
