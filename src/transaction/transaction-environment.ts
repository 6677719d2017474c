import type { Clock } from '../async/index.ts';
import type { Announcer } from '../events/index.ts';
import type { Dialect } from '../sql/index.ts';
import type { StatementSites } from './call-site.ts';
import type { ErrorReporter } from './hooks.ts';
import type { Transaction } from './transaction.ts';
import type { TransactionView } from './transaction-view.ts';

/** The limits of a database's transactions. */
export interface TransactionLimits {
  /** Longest time of a transaction; then it is rolled back. 0 = off. */
  readonly transactionTimeoutMs: number;
  /** Longest time without a statement under way; then it is rolled back. 0 = off. */
  readonly idleInTransactionTimeoutMs: number;
  /** Longest wait for the engine to confirm a rollback. */
  readonly cancelGraceMs: number;
  /** Held longer than this, a transaction is announced. 0 = off. */
  readonly heldTooLongMs: number;
}

export interface TransactionCounts {
  committed: number;
  rolledBack: number;
  unknown: number;
  active: number;
}

/** What all transactions of one database share. */
export interface TransactionEnvironment {
  readonly databaseKey: object;
  readonly dialect: Dialect;
  /** True where a write transaction holds the only connection that can write (SQLite). */
  readonly exclusiveWriter: boolean;
  readonly clock: Clock;
  readonly announce: Announcer;
  readonly limits: TransactionLimits;
  readonly sites: StatementSites;
  /** For failures that must not take the place of another error. */
  readonly reportError: ErrorReporter;
  readonly counts: TransactionCounts;
  toHandle(view: TransactionView): Transaction;
}
