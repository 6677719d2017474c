import { describe, expect, test } from 'vitest';
import { bytes, duration, percent, shortCount } from './numbers.ts';

describe('figures are short', () => {
  test.each([
    [0, '0'],
    [4, '4'],
    [4.25, '4.3'],
    [999, '999'],
    [1_000, '1.0k'],
    [12_345, '12k'],
    [3_200_000, '3.2M'],
    [25_000_000, '25M'],
  ])('%d is %s', (count, text) => expect(shortCount(count)).toBe(text));

  test.each([
    [0, '0 ms'],
    [0.004, '< 0.01 ms'],
    [0.042, '0.04 ms'],
    [3.14, '3.1 ms'],
    [42.4, '42 ms'],
    [1_300, '1.3 s'],
    [240_000, '4 min'],
    [5_400_000, '1.5 h'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));

  test.each([
    [12, '12 B'],
    [4_096, '4 kB'],
    [5_500_000, '5.5 MB'],
    [2_000_000_000, '2.00 GB'],
  ])('%d bytes is %s', (count, text) => expect(bytes(count)).toBe(text));

  test.each([
    [0, '0 %'],
    [0.123, '12.3 %'],
    [1, '100 %'],
    [0.999_9, '100 %'],
  ])('a share of %d is %s', (share, text) => expect(percent(share)).toBe(text));
});
