export { Transactional, transactional } from './ambient.ts';
export { closeOnSignals, type CloseOnSignalsOptions, type SignalShutdown } from './close-on-signals.ts';
export { openDatabase, openPrepared } from './create-database.ts';
export {
  servicesOf,
  type AcquireOptions,
  type BackupOptions,
  type CurrentTransaction,
  type Database,
} from './database.ts';
export type { DatabaseLease, LeaseConnection } from './database-lease.ts';
export type { DatabaseStats, ReplicationStats } from './database-stats.ts';
export type { HealthCheckResult } from './health-monitor.ts';
export type { QueryStats } from './query-recorder.ts';
export { createLogger, type LeveledLogger } from './logger.ts';
export { getDb } from './registry.ts';
export type { Closeable } from './shutdown.ts';
export type { Health } from './health.ts';
