import { describe, expect, test } from 'vitest';
import { UsageError } from '../errors/index.ts';
import { refusalOf } from '../../test/fixtures/refusal-of.ts';
import { fromBigInt, toBindable, toDriverValue } from './parameters.ts';

describe('toBindable', () => {
  test('gives the same array back where nothing needs a change', () => {
    const params = [null, 1, -1.5, Infinity, 2 ** 63, 'text', ''];
    expect(toBindable(params)).toBe(params);
  });

  test('converts what SQLite has no type for, and leaves the array of the caller alone', () => {
    const params = [true, false, new Date(0), 5n];
    expect(toBindable(params)).toEqual([1, 0, '1970-01-01T00:00:00.000Z', 5n]);
    expect(params[0]).toBe(true);
  });

  test.each([
    [-(2n ** 63n), 2n ** 63n - 1n],
    [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])('takes %s and %s, the ends of what fits', (...ends) => {
    expect(toBindable(ends)).toEqual(ends);
  });

  test('takes whole buffers as they are, and copies views, shared memory and what can be resized', () => {
    const whole = new Uint8Array([1, 2, 3]);
    const view = new Uint8Array([1, 2, 3]).subarray(1);
    const shared = new Uint8Array(new SharedArrayBuffer(2));
    const resizable = new Uint8Array(new ArrayBuffer(2, { maxByteLength: 4 }));
    const bound = toBindable([whole, view, shared, resizable]) as Uint8Array[];
    expect(bound).toEqual([whole, view, shared, resizable]);
    expect(bound[0]).toBe(whole);
    for (const copy of bound.slice(1)) expect(copy.buffer.byteLength).toBe(copy.byteLength);
    expect(bound[2]!.buffer).toBeInstanceOf(ArrayBuffer);
  });

  test('refuses by position and kind, and never shows the value (B18)', () => {
    const secret = 'hunter2';
    const refused: [unknown, string][] = [
      [NaN, 'Parameter 2 is NaN'],
      [2 ** 53, 'Parameter 2 is an integer beyond'],
      [2n ** 64n, 'Parameter 2 is a bigint beyond 64 bits'],
      [`${secret}\uDC00`, 'Parameter 2 is a string with a lone surrogate'],
      [undefined, 'Parameter 2 is undefined'],
      [Symbol(secret), 'Parameter 2 is a symbol'],
      [{ secret }, 'Parameter 2 is an object (Object)'],
      [[secret], 'Parameter 2 is an array'],
      [new Date(NaN), 'Parameter 2 is an invalid Date'],
    ];
    for (const [value, start] of refused) {
      const message = refusalOf(() => toBindable(['first', value]));
      expect(message).toContain(start);
      expect(message).not.toContain(secret);
      expect(() => toBindable([value])).toThrow(UsageError);
    }
  });
});

test('whole numbers go to the driver as BigInt, which it stores as INTEGER', () => {
  expect([5, -0, 1.5, 2 ** 63, 5n, 'a', null].map((value) => toDriverValue(value))).toEqual([
    5n,
    0n,
    1.5,
    2 ** 63,
    5n,
    'a',
    null,
  ]);
});

test('integers come from the driver as numbers where a number holds them', () => {
  const read = [5n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n), 1.5, 'a', null];
  expect(read.map(fromBigInt)).toEqual([5, 2 ** 53 - 1, 2n ** 53n, -(2n ** 53n), 1.5, 'a', null]);
});
