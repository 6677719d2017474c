import type { CallOptions } from '../driver/index.ts';

/** What can be bound for a parameter of which the engine says nothing. */
export type SqlValue = string | number | bigint | boolean | Uint8Array | Date | null;

/** Parameters may be left out where all of them are optional. */
type Arguments<Params> = Params extends void
  ? [params?: undefined, options?: CallOptions]
  : Record<never, never> extends Params
    ? [params?: Params, options?: CallOptions]
    : [params: Params, options?: CallOptions];

interface AnyQuery {
  /** The text as the engine gets it, with everything in it. */
  readonly sql: string;
}

/** Without a mark: all rows. */
export interface ManyQuery<Params, Row> extends AnyQuery {
  (...call: Arguments<Params>): Promise<Row[]>;
  /** The rows one by one, in bounded memory. */
  stream(...call: Arguments<Params>): AsyncIterableIterator<Row>;
  /** The rows as the bytes of a JSON array, built off the main thread. */
  json(...call: Arguments<Params>): Promise<Uint8Array<ArrayBuffer>>;
}

/** Marked `^`: the first row, or undefined. */
export interface OneQuery<Params, Row> extends AnyQuery {
  (...call: Arguments<Params>): Promise<Row | undefined>;
}

/** Marked `^`, of a statement that always gives one row. */
export interface ExactlyOneQuery<Params, Row> extends AnyQuery {
  (...call: Arguments<Params>): Promise<Row>;
}

/** Marked `$`: the first column of the first row, or undefined. */
export interface ValueQuery<Params, Value> extends AnyQuery {
  (...call: Arguments<Params>): Promise<Value | undefined>;
}

/** Marked `$`, of a statement that always gives one row. */
export interface ExactValueQuery<Params, Value> extends AnyQuery {
  (...call: Arguments<Params>): Promise<Value>;
}

/** Marked `!`: how many rows were affected. */
export interface AffectedQuery<Params> extends AnyQuery {
  (...call: Arguments<Params>): Promise<number>;
}

/**
 * Marked `<!`: what RETURNING returns, or the id of the inserted row; undefined where nothing was written.
 */
export interface ReturningQuery<Params, Result> extends AnyQuery {
  (...call: Arguments<Params>): Promise<Result | undefined>;
}

/** Marked `<!`, of a statement that writes one row, or fails. */
export interface ExactReturningQuery<Params, Result> extends AnyQuery {
  (...call: Arguments<Params>): Promise<Result>;
}

/** Marked `*!`: run for each item, all or none; how many rows were affected. */
export interface EachQuery<Params> extends AnyQuery {
  (items: readonly Params[], options?: CallOptions): Promise<number>;
}

/** Marked `#`: several statements, without parameters; all or none. */
export interface ScriptQuery extends AnyQuery {
  (params?: undefined, options?: CallOptions): Promise<void>;
}
