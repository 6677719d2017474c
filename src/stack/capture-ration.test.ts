import { expect, test } from 'vitest';
import { CaptureRation } from './capture-ration.ts';

const takes = (ration: CaptureRation, nowMs: number, count = 500): number =>
  Array.from({ length: count }, () => ration.take(nowMs)).filter(Boolean).length;

test('a ration allows a burst, and then so many in each millisecond', () => {
  const ration = new CaptureRation(0.5);
  expect(takes(ration, 0)).toBe(100);
  expect(takes(ration, 0)).toBe(0);
  expect(takes(ration, 10)).toBe(5);
  expect(takes(ration, 100_000)).toBe(100);
});

test('a ration allows everything for ten minutes after one was missed', () => {
  const ration = new CaptureRation(1);
  takes(ration, 0);
  ration.wantAll(0);
  expect(takes(ration, 599_999)).toBe(500);
  expect(takes(ration, 600_000)).toBe(100);
});
