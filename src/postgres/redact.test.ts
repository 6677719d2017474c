import { describe, expect, test } from 'vitest';
import { redact } from './redact.ts';

const INSERT = 'insert into users (name, age, active) values ($1, $2, $3)';

describe('redact', () => {
  test('hides bound text, its words, numbers, and what arrays and objects hold (B18)', () => {
    const syntax = (value: string): string => `invalid input syntax for type integer: "${value}"`;
    expect(redact(syntax('hunter2'), INSERT, ['hunter2'])).toBe(syntax('?'));
    expect(redact(syntax('hunter2'), INSERT, ['my hunter2'])).toBe(syntax('?'));
    expect(redact('value 4711 is out of range', INSERT, [4711])).toBe('value ? is out of range');
    expect(redact(syntax('hunter2'), INSERT, [['hunter2']])).toBe(syntax('?'));
    expect(redact(syntax('hunter2'), INSERT, [{ password: 'hunter2' }])).toBe(syntax('?'));
  });

  test('keeps the words of a message that NULL, truth values and single characters would take out', () => {
    const notNull = 'null value in column "name" of relation "users" violates not-null constraint';
    expect(redact(notNull, INSERT, [null, undefined, 'n', 7])).toBe(notNull);
    const truth = 'argument of WHERE must be true or false';
    expect(redact(truth, INSERT, [true, false, 'a', ''])).toBe(truth);
  });

  test('hides the values beside a NULL all the same', () => {
    expect(redact('null value beside "hunter2"', INSERT, [null, 'hunter2', true])).toBe(
      'null value beside "?"',
    );
  });

  test('keeps what the text of the statement shows anyway', () => {
    expect(redact('column "name" does not exist', INSERT, ['name'])).toBe('column "name" does not exist');
  });
});
