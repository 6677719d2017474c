import type { PoolStats } from '../pool/index.ts';

/**
 * The state of two pools as one: to someone who looks at a dashboard, readers and writer are all connections.
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
    // Percentiles cannot be added up; the slower pool is the one to look at.
    acquireMs: a.acquireMs.p99 >= b.acquireMs.p99 ? a.acquireMs : b.acquireMs,
  };
}
