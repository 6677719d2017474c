import { expect, test } from 'vitest';
import { resultOf } from '../../fixtures/run-script.ts';

interface Limit {
  readonly error: string;
  readonly tookMs: number;
}

interface Result {
  readonly jumps: number;
  readonly calls: number;
  readonly failures: string[];
  readonly alarms: string[];
  readonly limits: { readonly query: Limit; readonly transaction: Limit };
  readonly shortMs: number;
}

test('limits go by the clock that only goes forward, however the wall clock jumps (C48)', async () => {
  const script = new URL('scripts/clock.ts', import.meta.url);
  const result = await resultOf<Result>(script, { preload: 'jumping-clock.ts' });
  expect(result.jumps, 'the wall clock jumps').toBeGreaterThan(2);
  expect(result).toMatchObject({ calls: 160, failures: [], alarms: [] });
  for (const { error, tookMs } of Object.values(result.limits)) {
    expect(error).toBe('TimeoutError');
    expect(tookMs).toBeGreaterThan(result.shortMs - 5);
    expect(tookMs).toBeLessThan(result.shortMs + 5_000);
  }
});
