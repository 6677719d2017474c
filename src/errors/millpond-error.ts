/** The stable identity of an error. Codes are added, never renamed. */
export type ErrorCode = `ERR_MILLPOND_${string}`;

export interface MillpondErrorOptions {
  /** What led here: a driver's error, a lost socket, the caller's own error. */
  readonly cause?: unknown;
  /** See {@link MillpondError.retryable}. @default false */
  readonly retryable?: boolean;
}

/** Every error this library throws. Match on `code`; `message` is for people and may change. */
export abstract class MillpondError extends Error {
  abstract readonly code: ErrorCode;
  /** True when the same call, made again as it is, may succeed. */
  readonly retryable: boolean;

  constructor(message: string, options: MillpondErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable ?? false;
    // Not enumerable, like the built-in errors' name: it must not appear as a field in logs.
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }
}
