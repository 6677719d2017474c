import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';
import { fc } from '../../test/fixtures/property.ts';

describe('LatencyHistogram', () => {
  it('is all zeros before anything is recorded', () => {
    expect(new LatencyHistogram().summary()).toEqual({ p50: 0, p95: 0, p99: 0, max: 0 });
  });

  it('gives percentiles within a fifth above the true value, and the exact maximum', () => {
    const histogram = new LatencyHistogram();
    for (let ms = 1; ms <= 1_000; ms += 1) histogram.record(ms);
    const { p50, p95, p99, max } = histogram.summary();
    expect(p50 / 500).toBeGreaterThanOrEqual(1);
    expect(p50 / 500).toBeLessThan(1.2);
    expect(p95 / 950).toBeGreaterThanOrEqual(1);
    expect(p95).toBeLessThanOrEqual(1_000);
    expect(p99 / 990).toBeGreaterThanOrEqual(1);
    expect(max).toBe(1_000);
  });

  it('never lets a higher percentile be below a lower one', () => {
    const durations = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(durations, (all) => {
        const histogram = new LatencyHistogram();
        for (const duration of all) histogram.record(duration);
        const { p50, p95, p99, max } = histogram.summary();
        expect([p50, p95, p99, max]).toEqual([p50, p95, p99, Math.max(...all)].sort((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });
});
