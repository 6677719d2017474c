import { MillpondError, type ErrorCode, type MillpondErrorOptions } from './millpond-error.ts';

/** A connection could not be opened, or was lost before the statement could have had an effect. */
export class ConnectionError extends MillpondError {
  readonly code: ErrorCode;

  constructor(message: string, options: MillpondErrorOptions & { readonly code?: ErrorCode } = {}) {
    super(message, options);
    this.code = options.code ?? 'ERR_MILLPOND_CONNECTION';
  }
}

/** No connection came free in time, or the waiting line is full. Nothing was sent to the database. */
export class ConnectionPoolExhaustedError extends MillpondError {
  readonly code: ErrorCode = 'ERR_MILLPOND_POOL_EXHAUSTED';

  constructor(message: string, options: MillpondErrorOptions = {}) {
    super(message, { retryable: true, ...options });
  }
}
