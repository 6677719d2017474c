import { expect, test } from 'vitest';
import { delayOfGaps } from './loop-probe.ts';

test('a loop that turns every millisecond has no delay', () => {
  expect(delayOfGaps(Array.from({ length: 1_000 }, () => 1))).toEqual({ p99Ms: 0, maxMs: 0 });
});

test('one stall of a second among short ticks is what most moments of a two-second run waited for', () => {
  const gaps = [...Array.from({ length: 1_000 }, () => 1), 1_001];
  const { p99Ms, maxMs } = delayOfGaps(gaps);
  expect(maxMs).toBe(1_000);
  // 1 % of 2,001 ms are 20 ms: the moments in the stall's first 20 ms wait longer than this.
  expect(p99Ms).toBeCloseTo(1_000 - 20.01, 1);
});

test('stalls that fill less than one percent of the time do not reach p99', () => {
  const { p99Ms, maxMs } = delayOfGaps([...Array.from({ length: 1_000 }, () => 1), 6]);
  expect(p99Ms).toBeCloseTo(0);
  expect(maxMs).toBe(5);
});

test('copes with more gaps than a call takes arguments', () => {
  expect(delayOfGaps(Array.from({ length: 300_000 }, () => 3)).maxMs).toBe(2);
});
