import { expect, test } from 'vitest';
import type { PoolStats } from '../pool/index.ts';
import { addPoolStats } from './pool-sum.ts';

function statsOf(count: number, p99: number): PoolStats {
  const counts = { size: count, idle: count, leased: count, waiting: count, connecting: count, max: count };
  const since = { overflow: count, created: count, retired: count, timeouts: count };
  return { ...counts, ...since, acquireMs: { p50: 0, p95: 1, p99, max: p99 * 2 } };
}

test('counts of pools add up, and the waits are those of the slower one', () => {
  const sum = addPoolStats(statsOf(1, 5), statsOf(2, 9));
  expect(sum).toEqual(statsOf(3, 9));
  expect(addPoolStats(statsOf(2, 9), statsOf(1, 5))).toEqual(sum);
});
