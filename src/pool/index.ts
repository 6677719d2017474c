export type { ResourceFactory } from './factory.ts';
export type { Lease } from './lease.ts';
export { resolvePoolOptions, type PoolOptions } from './pool-options.ts';
export type { LeaseInfo, PoolStats } from './pool-stats.ts';
export { Pool } from './pool.ts';
