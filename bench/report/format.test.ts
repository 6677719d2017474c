import { expect, test } from 'vitest';
import { formatBound, formatFigure, formatRange, formatRatio } from './format.ts';

test('figures keep the digits that mean something', () => {
  expect(formatFigure(231_482.7, 'perSecond')).toBe('231,483');
  expect(formatFigure(2.13, 'perSecond')).toBe('2.1');
  expect(formatFigure(0.0042, 'ms')).toBe('0.004 ms');
  expect(formatFigure(0.27, 'ms')).toBe('0.27 ms');
  expect(formatFigure(10, 'ms')).toBe('10 ms');
  expect(formatFigure(100, 'us')).toBe('100 µs');
  expect(formatFigure(1_882.4, 'ms')).toBe('1,882 ms');
  expect(formatFigure(92.4, 'mb')).toBe('92 MB');
  expect(formatFigure(Number.NaN, 'mb')).toBe('–');
  expect(formatRatio(0.05)).toBe('0.05×');
});

test('a range needs more than one round', () => {
  const format = (value: number): string => formatFigure(value, 'ms');
  expect(formatRange({ min: 1, max: 2, median: 1.5, rounds: 2 }, format)).toBe('1 ms … 2 ms');
  expect(formatRange({ min: 1, max: 1, median: 1, rounds: 1 }, format)).toBe('1 round');
});

test('a bound says its direction and unit', () => {
  const goal = { work: '', says: '', peer: 'millpond', metric: '' } as const;
  expect(formatBound({ ...goal, unit: 'times', atLeast: 20 })).toBe('≥ 20×');
  expect(formatBound({ ...goal, unit: 'ms', atMost: 5 })).toBe('≤ 5 ms');
});
