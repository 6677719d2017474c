import { MillpondError, type ErrorCode, type MillpondErrorOptions } from './millpond-error.ts';

/** How a running statement was stopped, from the surest way to the weakest. */
export type CancellationLevel = 'interrupt' | 'row' | 'abandon';

export interface TimeoutErrorDetails extends MillpondErrorOptions {
  readonly timeoutMs: number;
  /**
   * Set when something could have been written: whether the rollback was seen to end before this error was
   * thrown.
   */
  readonly rollback?: 'confirmed' | 'pending';
  /** Set when a statement was running: how it was stopped. */
  readonly cancellation?: CancellationLevel;
}

/** A time limit has passed. The statement or transaction does not take effect, now or later. */
export class TimeoutError extends MillpondError {
  readonly code: ErrorCode = 'ERR_MILLPOND_TIMEOUT';
  readonly timeoutMs: number;
  readonly rollback: 'confirmed' | 'pending' | undefined;
  readonly cancellation: CancellationLevel | undefined;

  constructor(message: string, details: TimeoutErrorDetails) {
    super(message, details);
    this.timeoutMs = details.timeoutMs;
    this.rollback = details.rollback;
    this.cancellation = details.cancellation;
  }
}
