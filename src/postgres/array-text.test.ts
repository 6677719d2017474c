import { describe, expect, it } from 'vitest';
import { readArray } from './array-text.ts';
import { writeArray } from './array-text-writing.ts';

const asText = (text: string): string => text;

describe('the text of an array', () => {
  it.each([
    ['{}', []],
    ['{1,2,NULL}', ['1', '2', null]],
    [
      '{{a,b},{c,NULL}}',
      [
        ['a', 'b'],
        ['c', null],
      ],
    ],
    ['{"a,b","\\"","\\\\","NULL",""}', ['a,b', '"', '\\', 'NULL', '']],
    ['[0:1]={x,y}', ['x', 'y']],
    ['{"{}"," "}', ['{}', ' ']],
  ])('%s is read', (text, items) => {
    expect(readArray(text, asText)).toEqual(items);
  });

  it.each([[[]], [['a', null, '"', '\\', '{', ',', '']], [[['a'], ['b']]]])(
    '%o comes back as it was',
    (items) => {
      const written = writeArray(items, (item) => item as string | null);
      expect(readArray(written, asText)).toEqual(items);
    },
  );
});
