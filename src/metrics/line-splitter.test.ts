import { describe, expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.ts';
import { fc } from '../../test/fixtures/property.ts';

function linesOf(chunks: readonly (string | Buffer)[], longest = 1_000): string[] {
  const splitter = new LineSplitter(longest);
  return [...chunks.flatMap((chunk) => splitter.linesOf(chunk)), ...splitter.end()];
}

describe('lines of chunks (M11)', () => {
  test('are the same wherever the chunks end, within a character too', () => {
    const someTexts = fc.array(fc.string({ unit: 'grapheme', maxLength: 8 }), { maxLength: 8 });
    fc.assert(
      fc.property(someTexts, fc.array(fc.nat(40), { maxLength: 8 }), (texts, cuts) => {
        const lines = texts.map((text) => text.replaceAll('\n', ' '));
        const bytes = Buffer.from(lines.join('\n'));
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(linesOf(chunks)).toEqual(lines.filter((line) => line !== ''));
      }),
    );
  });

  test('one that never ends is given up, once, and the next one is whole', () => {
    const long = Array.from({ length: 50 }, () => 'x'.repeat(100));
    const [cut, ...others] = linesOf(['a\n', ...long, 'end\nb\n', 'c'], 1_000);
    expect([cut, others.map((line) => line.slice(0, 3))]).toEqual(['a', ['xxx', 'b', 'c']]);
    expect(others[0]!.length).toBeLessThanOrEqual(1_100);
  });
});
