import { describe, expect, test } from 'vitest';
import { randomFrom, seed } from '../../test/fixtures/scale.ts';
import { DurationHistogram } from './duration-histogram.ts';

describe('a histogram of durations', () => {
  test('says nothing of nothing', () => {
    const nothing = { count: 0, totalMs: 0, averageMs: 0, minMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 };
    expect(new DurationHistogram().summary()).toEqual(nothing);
  });

  test(`has percentiles at most 12.5 % above the true ones, seed ${seed} (B20)`, () => {
    const random = randomFrom(seed);
    const histogram = new DurationHistogram();
    const durations = Array.from({ length: 5_000 }, () => 10 ** (random() * 7 - 2));
    for (const duration of durations) histogram.record(duration);
    durations.sort((a, b) => a - b);
    const { p50Ms, p95Ms, p99Ms, minMs, maxMs, totalMs, averageMs } = histogram.summary();
    const pairs = [
      [p50Ms, durations[2_499]!],
      [p95Ms, durations[4_749]!],
      [p99Ms, durations[4_949]!],
    ] as const;
    for (const [said, real] of pairs) {
      expect(said).toBeGreaterThanOrEqual(real);
      expect(said).toBeLessThanOrEqual(real * 1.1251);
    }
    expect([minMs, maxMs]).toEqual([durations[0], durations.at(-1)]);
    expect(totalMs).toBeCloseTo(
      durations.reduce((sum, one) => sum + one, 0),
      3,
    );
    expect(averageMs * durations.length).toBeCloseTo(totalMs, 3);
  });

  test('never gives a percentile above the longest', () => {
    const histogram = new DurationHistogram();
    histogram.record(1.01);
    expect(histogram.summary().p99Ms).toBe(1.01);
    histogram.record(3_000_000);
    expect(histogram.summary().p99Ms).toBe(3_000_000);
  });

  test('counts exactly within limits that are edges of its buckets', () => {
    const histogram = new DurationHistogram();
    for (const duration of [0, 0.1, 0.25, 0.2500001, 1, 2.5, 2.51, 10, 9_999, 10_000, 10_001])
      histogram.record(duration);
    expect(histogram.countsWithin([0.1, 0.25, 1, 2.5, 5, 10, 10_000])).toEqual([2, 3, 5, 6, 7, 8, 10]);
  });

  test('gives the percentiles since a mark, and all when it was made before a reset', () => {
    const histogram = new DurationHistogram();
    for (let call = 0; call < 100; call += 1) histogram.record(1);
    const mark = histogram.mark();
    expect(histogram.since(mark)).toEqual({ count: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0 });
    for (let call = 0; call < 10; call += 1) histogram.record(100);
    expect(histogram.since(mark)).toEqual({ count: 10, p50Ms: 100, p95Ms: 100, p99Ms: 100 });
    const fresh = new DurationHistogram();
    fresh.record(5);
    expect(fresh.since(mark)).toEqual({ count: 1, p50Ms: 5, p95Ms: 5, p99Ms: 5 });
  });
});
