import { expect, test } from 'vitest';
import { Latencies } from './latencies.ts';

test('finds quantiles within two percent', () => {
  const latencies = new Latencies();
  for (let ms = 1; ms <= 1_000; ms++) latencies.record(ms);
  expect(latencies.quantileMs(0.5) / 500).toBeCloseTo(1, 1.7);
  expect(latencies.quantileMs(0.99) / 990).toBeCloseTo(1, 1.7);
  expect(latencies.count).toBe(1_000);
});

test('never says more than the longest latency', () => {
  const latencies = new Latencies();
  latencies.record(7);
  expect(latencies.quantileMs(0.99)).toBe(7);
  expect(latencies.maxMs).toBe(7);
});

test('keeps latencies that lie outside its range', () => {
  const latencies = new Latencies();
  latencies.record(0);
  latencies.record(1e9);
  expect(latencies.count).toBe(2);
  expect(latencies.maxMs).toBe(1e9);
});

test('is zero where nothing was recorded', () => {
  expect(new Latencies().quantileMs(0.99)).toBe(0);
});
