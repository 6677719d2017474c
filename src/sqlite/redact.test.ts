import { describe, expect, test } from 'vitest';
import { redact, withoutValues } from './redact.ts';

describe('redact', () => {
  test('hides a bound string, and its words, in a message (B18)', () => {
    expect(redact('no such column: hunter2', 'select ?', ['hunter2'])).toBe('no such column: ?');
    expect(redact('near "pass": of hunter2', 'select ?', ['hunter2 pass'])).toBe('near "?": of ?');
  });

  test('keeps what the text of the statement shows anyway, and words too short to tell anything', () => {
    expect(redact('no such column: title', 'select title from t where x match ?', ['title: a'])).toBe(
      'no such column: title',
    );
    expect(redact('at 1: ab', 'select ?', ['ab', 1, null])).toBe('at 1: ab');
  });
});

test('only errors of SQLite are changed', () => {
  const fail = (error: Error) => () =>
    withoutValues('select ?', ['hunter2'], () => {
      throw error;
    });
  expect(fail(Object.assign(new Error('at hunter2'), { errcode: 1 }))).toThrow('at ?');
  expect(fail(new Error('at hunter2'))).toThrow('at hunter2');
  expect(withoutValues('select ?', ['hunter2'], () => 'hunter2')).toBe('hunter2');
});
