import type { Database } from '../database/index.ts';
import type { Queryable } from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import type { NestedOptions, Transaction, TransactionOptions } from '../transaction/index.ts';

/** Options of drizzle's `transaction()`: ours, and drizzle's own words where they mean the same. */
export interface DrizzleTransactionOptions extends Omit<TransactionOptions, 'propagation'> {
  /** Inside a running transaction. @default 'nested': a savepoint */
  readonly propagation?: 'required' | 'nested' | 'requires-new' | 'mandatory' | undefined;
  /** Drizzle's word on PostgreSQL for `isolation`. */
  readonly isolationLevel?: TransactionOptions['isolation'];
  /** Drizzle's word on PostgreSQL for `readOnly`. */
  readonly accessMode?: 'read only' | 'read write' | undefined;
  /** Drizzle's word on SQLite. What writes begins IMMEDIATE in any case; 'exclusive' is refused. */
  readonly behavior?: 'deferred' | 'immediate' | 'exclusive' | undefined;
  /** Drizzle's word on PostgreSQL; true is refused. */
  readonly deferrable?: boolean | undefined;
}

/** A drizzle object of ours, of either dialect: a database or a transaction. */
export interface Scoped {
  readonly scope: Scope;
}

/** Where the statements of a drizzle object go: to a database, or to one transaction of it. */
export interface Scope {
  readonly calls: Queryable;
  /** Runs `work` in a transaction, under a savepoint where one is running. */
  transaction<T>(work: (inner: Scope) => Promise<T>, options?: DrizzleTransactionOptions): Promise<T>;
}

/** Statements join the transaction of the running flow automatically. */
export function databaseScope(db: Database): Scope {
  return {
    calls: db,
    transaction: async (work, options) =>
      db.transaction((tx) => work(transactionScope(tx)), {
        ...toTransactionOptions(options),
        propagation: options?.propagation ?? 'nested',
      }),
  };
}

/**
 * Statements go to this transaction and to no other, wherever they are made: after its end they are refused.
 */
function transactionScope(tx: Transaction): Scope {
  return {
    calls: tx,
    transaction: async (work, options) =>
      tx.transaction((inner) => work(transactionScope(inner)), toNestedOptions(options)),
  };
}

function toTransactionOptions(given: DrizzleTransactionOptions = {}): TransactionOptions {
  const { isolationLevel, accessMode, behavior, deferrable, ...ours } = given;
  if (behavior === 'exclusive') {
    throw new UsageError("Transactions with behavior 'exclusive' would stop the readers; leave it out.");
  }
  if (deferrable === true) {
    throw new UsageError('Deferrable transactions are not supported; leave deferrable out.');
  }
  return {
    ...ours,
    ...(isolationLevel !== undefined && { isolation: isolationLevel }),
    ...(accessMode !== undefined && { readOnly: accessMode === 'read only' }),
  };
}

/** What a savepoint can have of its own; the rest belongs to the whole transaction. */
function toNestedOptions(given?: DrizzleTransactionOptions): NestedOptions {
  const { isolation, retry, inner, propagation, ...nested } = toTransactionOptions(given);
  const alien = Object.entries({ isolation, retry, inner }).find(([, value]) => value !== undefined);
  if (alien !== undefined) {
    throw new UsageError(`${alien[0]} is decided where the whole transaction begins, not in a part of it.`);
  }
  if (propagation !== undefined && propagation !== 'nested') {
    throw new UsageError(
      `tx.transaction() is a savepoint; propagation '${propagation}' is for the database's.`,
    );
  }
  return nested;
}
