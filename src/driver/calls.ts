/** What the caller wants back from a statement. */
export type Shape = 'all' | 'arrays' | 'get' | 'value' | 'run' | 'json';

/** Options of one call, the last argument of every method of `Queryable`. */
export interface CallOptions {
  /**
   * Longest time until this call settles, waiting included; then `TimeoutError`. 0 = no limit. @default the
   * database's `queryTimeoutMs`
   */
  readonly timeoutMs?: number | undefined;
  /** Aborting stops the statement and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How the query appears in events, logs and metrics. */
  readonly name?: string | undefined;
  /** Where a read may run. On SQLite both are the one file. @default 'primary' */
  readonly target?: 'primary' | 'replica' | undefined;
  /**
   * What `db.lastWrite()` gave: a read from a replica sees at least the writes before it. On SQLite every
   * read does.
   */
  readonly readAfter?: string | undefined;
}

/** What a COPY takes in: bytes or text, in the format that its statement names. */
export type CopySource = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/** A statement ready for its engine: positional parameters, in order. */
export interface Statement {
  readonly text: string;
  readonly params: readonly unknown[];
}

/** What a write did. */
export interface RunResult {
  readonly rowsAffected: number;
  /** The rowid of the last inserted row; only after an INSERT, and only where the engine has such a thing. */
  readonly lastInsertId?: number | bigint;
}

/** One statement's part of a batch. */
export interface BatchItemResult<Row = Record<string, unknown>> extends RunResult {
  /** Rows of a SELECT or RETURNING; empty otherwise. */
  readonly rows: Row[];
}

export interface ShapeResult {
  readonly all: Record<string, unknown>[];
  readonly arrays: unknown[][];
  readonly get: Record<string, unknown> | undefined;
  readonly value: unknown;
  readonly run: RunResult;
  readonly json: Uint8Array<ArrayBuffer>;
}
