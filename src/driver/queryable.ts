import type { Params, Sql } from '../sql/index.ts';
import type { BatchItemResult, CallOptions, RunResult } from './calls.ts';

/** A statement of a batch: a template, a text without parameters, or a text with them. */
export type SqlInput = Sql | string | readonly [text: string, params: Params];

/**
 * What a database, a transaction and a connection have in common. Rows are typed by the caller, not checked.
 * A query is an `sql` template, or a text with parameters: an array for `?` or `$1`, an object for `:name`.
 * A fault in the arguments rejects with `UsageError`; nothing is thrown at the call.
 */
export interface Queryable {
  /** All rows. For more rows than fit in memory, use `stream`. */
  all<Row = Record<string, unknown>>(query: Sql, options?: CallOptions): Promise<Row[]>;
  all<Row = Record<string, unknown>>(text: string, params?: Params, options?: CallOptions): Promise<Row[]>;

  /** All rows as arrays of values in column order, for mappers: columns may have the same name. */
  arrays(query: Sql, options?: CallOptions): Promise<unknown[][]>;
  arrays(text: string, params?: Params, options?: CallOptions): Promise<unknown[][]>;

  /** The first row, or undefined when there is none. */
  get<Row = Record<string, unknown>>(query: Sql, options?: CallOptions): Promise<Row | undefined>;
  get<Row = Record<string, unknown>>(
    text: string,
    params?: Params,
    options?: CallOptions,
  ): Promise<Row | undefined>;

  /** The first column of the first row, or undefined when there is no row. */
  value<T = unknown>(query: Sql, options?: CallOptions): Promise<T | undefined>;
  value<T = unknown>(text: string, params?: Params, options?: CallOptions): Promise<T | undefined>;

  /** Runs a statement for what it does. */
  run(query: Sql, options?: CallOptions): Promise<RunResult>;
  run(text: string, params?: Params, options?: CallOptions): Promise<RunResult>;

  /**
   * The rows one by one, in bounded memory. The query starts with the first `next()` and ends with the loop.
   * An iterator that is neither read to its end nor closed with `return()` keeps its connection.
   */
  stream<Row = Record<string, unknown>>(query: Sql, options?: CallOptions): AsyncIterableIterator<Row>;
  stream<Row = Record<string, unknown>>(
    text: string,
    params?: Params,
    options?: CallOptions,
  ): AsyncIterableIterator<Row>;

  /** Several statements in one trip and one transaction: all or nothing. One result for each, in order. */
  batch<Row = Record<string, unknown>>(
    items: readonly SqlInput[],
    options?: CallOptions,
  ): Promise<BatchItemResult<Row>[]>;

  /** Several statements as one text without parameters: all or nothing. */
  script(text: string, options?: CallOptions): Promise<void>;

  /** The rows as the UTF-8 bytes of a JSON array, ready for a response; built off the main thread. */
  json(query: Sql, options?: CallOptions): Promise<Uint8Array<ArrayBuffer>>;
  json(text: string, params?: Params, options?: CallOptions): Promise<Uint8Array<ArrayBuffer>>;
}
