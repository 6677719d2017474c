import type {
  BatchItemResult,
  CallOptions,
  CopySource,
  RunResult,
  Shape,
  ShapeResult,
  Statement,
} from './calls.ts';

export type Isolation = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';

export interface BeginOptions {
  readonly readOnly: boolean;
  /** Absent: the engine's default. An engine gives at least what is asked. */
  readonly isolation?: Isolation | undefined;
  /** False: foreign keys are neither checked nor acted on until the transaction has ended. SQLite only. */
  readonly foreignKeys?: boolean | undefined;
  /**
   * The owner's own limit, in ms; 0 = none. The engine may enforce it as well, a little later, in case the
   * owner does not. Absent: the default of the configuration.
   */
  readonly timeoutMs?: number | undefined;
  /** The transaction's number, for the events of its statements. */
  readonly transactionId?: number | undefined;
}

/**
 * One connection of an engine, used by one lease at a time. Calls are executed in the order in which they
 * were made, and may be made without awaiting the one before (the engine pipelines them).
 */
export interface DriverConnection {
  readonly id: number;
  /** Rejects with the errors of `errors/`, translated from the engine's own. */
  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]>;
  /**
   * Rows in chunks; the engine produces a chunk only when the one before was taken. Ending the iteration
   * frees the cursor.
   */
  stream(statement: Statement, options: CallOptions): AsyncIterableIterator<Record<string, unknown>[]>;
  /**
   * Statements in one trip. Inside a transaction they run under a savepoint; outside, in a transaction of
   * their own.
   */
  batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]>;
  /** Several statements as one text, without parameters; all or nothing. */
  script(text: string, options: CallOptions): Promise<void>;

  /** COPY … FROM STDIN: all of `source`, or nothing. Absent where the engine has no such thing (SQLite). */
  copyIn?(text: string, source: CopySource, options: CallOptions): Promise<RunResult>;
  /** COPY … TO STDOUT, produced as it is taken. Ending the iteration frees the connection. */
  copyOut?(text: string, options: CallOptions): AsyncIterableIterator<Uint8Array>;

  /**
   * Begins a transaction. The promise may be left un-awaited while statements are sent: a statement whose
   * BEGIN failed is refused by the engine (`TransactionClosedError`), never run in autocommit. A statement
   * after which the engine has ended the transaction by itself (an automatic rollback) makes the following
   * ones fail the same way.
   */
  begin(options: BeginOptions): Promise<void>;
  /**
   * Ends the transaction by COMMIT. Whatever the outcome, the connection is out of the transaction
   * afterwards.
   * @throws OutcomeUnknownError when it cannot be known; any other error means: rolled back.
   */
  commit(): Promise<void>;
  /**
   * Ends the transaction by ROLLBACK; resolves when the engine has confirmed it. Also allowed where the
   * engine has ended the transaction already.
   */
  rollback(): Promise<void>;
  /**
   * Whether the text may write; asked where writing is not allowed. A promise where the engine has to find
   * out.
   */
  mayWrite(text: string): boolean | Promise<boolean>;
  /**
   * True where the lease may go back as soon as COMMIT was sent: what the next holder sends is executed
   * behind it, and refused if the COMMIT leaves the connection in doubt. Saves the next transaction a round
   * trip.
   */
  readonly pipelinesCommit?: boolean;
  savepoint(name: string): Promise<void>;
  releaseSavepoint(name: string): Promise<void>;
  rollbackToSavepoint(name: string): Promise<void>;
  /**
   * Drops what waits on this connection and stops what runs, as surely as the engine can. Dropped and stopped
   * calls reject with `reason`. Never touches calls made after it.
   */
  cancelPending(reason: Error): void;
  /**
   * Ends the connection itself, without a word to the database: what is under way on it is lost. For where no
   * answer comes any more; absent where that can only be waited for.
   */
  cutOff?(reason: Error): void;
  /** False once the connection is lost or in doubt: its lease must be released with 'discard'. */
  readonly usable: boolean;
  /**
   * Settles when the connection was lost for good (a dead worker, a dead socket); never settles on an orderly
   * close.
   */
  readonly lost: Promise<Error>;
}

/** A resource held by one taker until it is released. */
export interface LeaseLike<Resource> {
  readonly resource: Resource;
  /** Gives it back ('reuse') or has it destroyed ('discard'). A second call does nothing. */
  release(how?: 'reuse' | 'discard'): void;
}

export interface AcquireRequest {
  /** Longest wait; 0 = do not wait. @default the pool's acquireTimeoutMs */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Who takes it, for the leak report and for the message of an exhausted pool. */
  readonly holder?: string | undefined;
  /** Where the taker was called, where it knows that. The stack is made into text for a report alone. */
  readonly site?: { readonly stack?: string } | undefined;
}

/** Where leases come from; a pool, as its users see it. */
export interface LeaseSource<Resource> {
  acquire(request?: AcquireRequest): Promise<LeaseLike<Resource>>;
}
