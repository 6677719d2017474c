import { MillpondError, type ErrorCode, type MillpondErrorOptions } from './millpond-error.ts';

interface TransactionErrorOptions extends MillpondErrorOptions {
  readonly code?: ErrorCode;
}

/** A transaction could not begin, commit or go on. Unless it says otherwise, it was rolled back. */
export class TransactionError extends MillpondError {
  readonly code: ErrorCode;

  constructor(message: string, options: TransactionErrorOptions = {}) {
    super(message, options);
    this.code = options.code ?? 'ERR_MILLPOND_TRANSACTION';
  }
}

/**
 * The transaction has ended; the statement was not sent. Its message says how and where the transaction
 * ended.
 */
export class TransactionClosedError extends TransactionError {
  constructor(message: string, options: MillpondErrorOptions = {}) {
    super(message, { ...options, code: 'ERR_MILLPOND_TRANSACTION_CLOSED' });
  }
}

/**
 * The write may or may not be committed: the link or the writer died after COMMIT was sent, or COMMIT met an
 * I/O error. Never retried by millpond; look at the data, or use an idempotency key, before trying again.
 */
export class OutcomeUnknownError extends TransactionError {
  constructor(message: string, options: MillpondErrorOptions = {}) {
    super(message, { ...options, code: 'ERR_MILLPOND_OUTCOME_UNKNOWN' });
  }
}
