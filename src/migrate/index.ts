export { migrate, revert, type MigrationResult } from './migrate.ts';
export {
  baselineMigrations,
  migrationStatus,
  requireMigrations,
  resolveMigration,
  verifyMigrations,
  type BaselineOptions,
  type MigrationStatus,
  type ResolveOptions,
} from './history.ts';
export { createMigration, type NewMigration } from './create-migration.ts';
export type { HistoryEntry } from './compare-history.ts';
export type {
  HistoryOptions,
  LockOptions,
  MigrateOptions,
  MigrationProgress,
  RevertOptions,
  RunOptions,
} from './migrate-options.ts';
export { MigrationError, type MigrationFault, type MigrationFaultKind } from '../errors/index.ts';
