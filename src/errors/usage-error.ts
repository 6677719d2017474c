import { MillpondError, type ErrorCode, type MillpondErrorOptions } from './millpond-error.ts';

/**
 * The caller's code is wrong (a bad argument, a forbidden call). Thrown at once; trying again will not help.
 */
export class UsageError extends MillpondError {
  readonly code: ErrorCode;

  constructor(message: string, options: MillpondErrorOptions & { readonly code?: ErrorCode } = {}) {
    super(message, options);
    this.code = options.code ?? 'ERR_MILLPOND_USAGE';
  }
}

/** Waiting would never end: this flow already holds what it asks for. The message carries both stacks. */
export class SelfDeadlockError extends UsageError {
  constructor(message: string, options: MillpondErrorOptions = {}) {
    super(message, { ...options, code: 'ERR_MILLPOND_SELF_DEADLOCK' });
  }
}
