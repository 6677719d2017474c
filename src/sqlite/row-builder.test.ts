import { afterEach, describe, expect, test, vi } from 'vitest';
import { findDuplicateColumn, RowShape, RowShapes } from './row-builder.ts';

afterEach(() => vi.unstubAllGlobals());

const HOSTILE = [
  '__proto__',
  'constructor',
  'a b',
  "it's",
  '"',
  '\\',
  '`${1}`',
  '\n',
  '\u2028',
  '1',
  '',
  '/*',
  ']: 1, [',
];

describe.each(['compiled', 'without code from strings'])('rows %s', (how) => {
  function shapeOf(columns: readonly string[]): RowShape {
    if (how !== 'compiled') {
      vi.stubGlobal('Function', () => {
        throw new EvalError('Code generation from strings disallowed for this context');
      });
    }
    return new RowShape(columns);
  }

  test('have one property for each column, in order, and no other prototype than any object', () => {
    const row = shapeOf(['b', 'a', 'c']).build(['x', 1, null, 2, 'y', 3n], 3);
    expect(Object.entries(row)).toEqual([
      ['b', 2],
      ['a', 'y'],
      ['c', 3n],
    ]);
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
  });

  test('take any name for a column, and none for code', () => {
    const values = HOSTILE.map((_, index) => index);
    const row = shapeOf(HOSTILE).build(values, 0);
    for (const [index, name] of HOSTILE.entries()) {
      expect(Object.getOwnPropertyDescriptor(row, name), name).toMatchObject({
        value: index,
        enumerable: true,
      });
    }
    expect(Object.keys(row)).toHaveLength(HOSTILE.length);
  });

  test('come from numbers and strings kept apart as well', () => {
    const columns = ['n', '__proto__', 'm', 's'];
    const result = {
      kinds: 'nsns',
      count: 2,
      numbers: Float64Array.from([99, 1, NaN, 3, 4, 1, -1, 0, 2]),
      from: 1,
      texts: ['abc'],
    };
    const rows = shapeOf(columns).buildColumnar(result);
    expect(rows.map((row) => Object.entries(row))).toEqual([
      [
        ['n', 1],
        ['__proto__', 'a'],
        ['m', null],
        ['s', null],
      ],
      [
        ['n', 3],
        ['__proto__', ''],
        ['m', 4],
        ['s', 'bc'],
      ],
    ]);
  });
});

test('results of the same columns share a shape, and columns that only look alike do not', () => {
  const shapes = new RowShapes();
  expect(shapes.get(['a', 'b'])).toBe(shapes.get(['a', 'b']));
  expect(shapes.get(['a', 'b'])).not.toBe(shapes.get(['a,b']));
  expect(shapes.get(['a', 'b'])).not.toBe(shapes.get(['b', 'a']));
});

test('shapes are kept up to a limit', () => {
  const shapes = new RowShapes();
  const first = shapes.get(['first']);
  for (let index = 0; index < 1_000; index += 1) shapes.get([`c${index}`]);
  expect(shapes.get(['first'])).not.toBe(first);
});

test('a name that two columns share is found, and case makes a difference', () => {
  expect(findDuplicateColumn(['a', 'b', 'a', 'b'])).toBe('a');
  expect(findDuplicateColumn(['__proto__', 'x', '__proto__'])).toBe('__proto__');
  expect(findDuplicateColumn(['a', 'A', ''])).toBeUndefined();
});
