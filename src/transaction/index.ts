export { captureCallSite } from './call-site.ts';
export {
  currentTransaction,
  isInWritingTransaction,
  isOutsideTransactions,
  withoutTransaction,
} from './context.ts';
export { onCommit, onRollback, TransactionHookError, type CommitHook, type RollbackHook } from './hooks.ts';
export type { TransactionLimits } from './transaction-environment.ts';
export type { TransactionWork } from './inner-transaction.ts';
export type { RetryOptions } from './retry.ts';
export { assertNoSelfDeadlock, assertNotStarving } from './self-deadlock.ts';
export type { TransactionState } from './state.ts';
export { Transaction } from './transaction.ts';
export { TransactionManager, type TransactionStats } from './transaction-manager.ts';
export type {
  BeginTransactionOptions,
  NestedOptions,
  OptionalPropagation,
  Propagation,
  TransactionOptions,
} from './transaction-options.ts';
export {
  createTransactional,
  createTransactionalDecorator,
  PartialCommitError,
  type Transactional,
  type TransactionalDecorator,
  type TransactionalOptions,
} from './transactional.ts';
