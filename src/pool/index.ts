export type { ResourceDescription, ResourceFactory } from './factory.ts';
export type { LatencySummary } from './latency-histogram.ts';
export type { Lease } from './lease.ts';
export { resolvePoolOptions, type PoolOptions, type ResolvedPoolOptions } from './pool-options.ts';
export type { LeaseInfo, PoolStats } from './pool-stats.ts';
export { Pool, type PoolParts } from './pool.ts';
