import { expect, test } from 'vitest';
import { spreadOf } from './statistics.ts';

test('gives the middle of an odd number of rounds', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, rounds: 3 });
});

test('gives the mean of the two in the middle of an even number', () => {
  expect(spreadOf([4, 1, 2, 3]).median).toBe(2.5);
});

test('refuses to make a number out of nothing', () => {
  expect(() => spreadOf([])).toThrow('nothing was measured');
});
