export { Transactional, transactional } from './ambient.ts';
export { openDatabase } from './create-database.ts';
export {
  type AcquireOptions,
  type BackupOptions,
  type Database,
  type DatabaseStats,
  type Health,
} from './database.ts';
export type { DatabaseLease } from './database-lease.ts';
export type { HealthCheckResult } from './health-monitor.ts';
export type { QueryStats } from './query-recorder.ts';
export { getDb } from './registry.ts';
