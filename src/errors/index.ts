export { MillpondError, type ErrorCode } from './millpond-error.ts';
export { ConfigError, type ConfigProblem } from './config-error.ts';
export { SelfDeadlockError, UsageError } from './usage-error.ts';
export { ConnectionError, ConnectionPoolExhaustedError } from './connection-errors.ts';
export { ConstraintError, QueryExecutionError, ReadOnlyError, type ConstraintKind } from './query-errors.ts';
export { TimeoutError, type CancellationLevel } from './timeout-error.ts';
export { OutcomeUnknownError, TransactionClosedError, TransactionError } from './transaction-errors.ts';
export { QueryBudgetError } from './query-budget-error.ts';
export { SqlFileError, type SqlFileProblem } from './sql-file-error.ts';
