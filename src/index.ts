export {
  getDb,
  openDatabase,
  Transactional,
  transactional,
  type AcquireOptions,
  type Database,
  type DatabaseLease,
  type DatabaseStats,
  type Health,
  type HealthCheckResult,
  type QueryStats,
} from './database/index.ts';
export {
  onCommit,
  onRollback,
  PartialCommitError,
  TransactionHookError,
  withoutTransaction,
  type BeginTransactionOptions,
  type CommitHook,
  type NestedOptions,
  type Propagation,
  type RetryOptions,
  type RollbackHook,
  type Transaction,
  type TransactionalOptions,
  type TransactionOptions,
  type TransactionState,
  type TransactionStats,
} from './transaction/index.ts';
export { sql, type Params, type Sql } from './sql/index.ts';
export type { BatchItemResult, CallOptions, Isolation, Queryable, RunResult, SqlInput } from './driver/index.ts';
export type { EventName, EventOf, Listener, QueryEvent } from './events/index.ts';
export type { LeaseInfo, PoolStats } from './pool/index.ts';
export {
  defineConfig,
  type ConfigFile,
  type DatabaseOptions,
  type HealthCheckSettings,
  type Logger,
  type LogLevel,
  type PoolSettings,
  type SqliteSettings,
} from './config/index.ts';
export {
  ConfigError,
  ConnectionError,
  ConnectionPoolExhaustedError,
  ConstraintError,
  MillpondError,
  OutcomeUnknownError,
  QueryExecutionError,
  ReadOnlyError,
  SelfDeadlockError,
  TimeoutError,
  TransactionClosedError,
  TransactionError,
  UsageError,
  type CancellationLevel,
  type ConfigProblem,
  type ConstraintKind,
  type ErrorCode,
} from './errors/index.ts';
