import { expect, test } from 'vitest';
import { Cursor, encodeStatement, FailureCode, isOutcomeUnknown, Op, SHAPES, type Wire } from './protocol.ts';

test('a message is read back field by field, request behind request', () => {
  const wire: Wire = [];
  const head = { op: Op.write, shape: 'get', watch: false } as const;
  encodeStatement(wire, { ...head, seq: 1 }, { id: 7, text: 'select ?, ?' }, [1n, null]);
  encodeStatement(wire, { ...head, seq: 2, watch: true }, { id: 7, text: null }, []);
  const cursor = new Cursor(wire);
  const read = () => [
    ...[
      cursor.next(),
      cursor.next(),
      SHAPES[cursor.next<number>()],
      cursor.next(),
      cursor.next(),
      cursor.next(),
    ],
    cursor.take(cursor.next<number>()),
  ];
  expect(read()).toEqual([Op.write, 1, 'get', false, 7, 'select ?, ?', [1n, null]]);
  expect(cursor.done).toBe(false);
  expect(read()).toEqual([Op.write, 2, 'get', true, 7, null, []]);
  expect(cursor.done).toBe(true);
});

test('every failure of our own has a number of its own, below those of SQLite', () => {
  const codes = Object.values(FailureCode);
  expect(new Set(codes).size).toBe(codes.length);
  expect(codes.every((code) => code < 0)).toBe(true);
  expect(codes.filter(isOutcomeUnknown)).toEqual([FailureCode.outcomeUnknown, FailureCode.diskFailed]);
});
