import type { PoolStats } from '../pool/index.ts';

/**
 * The state of two pools as one: readers and writer are both connections to those who look at a dashboard.
 */
export function addPoolStats(a: PoolStats, b: PoolStats): PoolStats {
  return {
    size: a.size + b.size,
    idle: a.idle + b.idle,
    leased: a.leased + b.leased,
    waiting: a.waiting + b.waiting,
    connecting: a.connecting + b.connecting,
    max: a.max + b.max,
    overflow: a.overflow + b.overflow,
    created: a.created + b.created,
    retired: a.retired + b.retired,
    timeouts: a.timeouts + b.timeouts,
    // Percentiles do not add up; the slower pool is the one to look at.
    acquireMs: a.acquireMs.p99 >= b.acquireMs.p99 ? a.acquireMs : b.acquireMs,
  };
}
