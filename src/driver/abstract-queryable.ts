import { AsyncLocalStorage } from 'node:async_hooks';
import { UsageError } from '../errors/index.ts';
import { checkText, compile, hasPlaceholders, Sql, type Dialect, type Params } from '../sql/index.ts';
import { checkCallOptions, looksLikeOptions } from './call-options.ts';
import type { BatchItemResult, CallOptions, RunResult, Shape, ShapeResult, Statement } from './calls.ts';
import type { Queryable, SqlInput } from './queryable.ts';
import { RowStream } from './row-stream.ts';

type Query = string | Sql;
type Second = Params | CallOptions | undefined;
type Rows = Record<string, unknown>[];
/** What a caller passed: a template and options, or a text, parameters and options. */
type Arguments = readonly [query: Query, second: Second, third: unknown];

/**
 * Reads the arguments of every call, in one place. A subclass gets a ready statement and checked options, and
 * says only where they run.
 */
export abstract class AbstractQueryable implements Queryable {
  protected abstract readonly dialect: Dialect;

  protected abstract execute<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
  ): Promise<ShapeResult[S]>;
  /** Called when the first row is asked for. The iterator gets one call at a time. */
  protected abstract executeStream(statement: Statement, options: CallOptions): AsyncIterableIterator<Rows>;
  protected abstract executeBatch(
    statements: readonly Statement[],
    options: CallOptions,
  ): Promise<BatchItemResult[]>;
  protected abstract executeScript(text: string, options: CallOptions): Promise<void>;

  all<Row = Record<string, unknown>>(query: Sql, options?: CallOptions): Promise<Row[]>;
  all<Row = Record<string, unknown>>(text: string, params?: Params, options?: CallOptions): Promise<Row[]>;
  all(query: Query, second?: Second, third?: CallOptions): Promise<unknown> {
    return this.#call('all', [query, second, third]);
  }

  arrays(query: Sql, options?: CallOptions): Promise<unknown[][]>;
  arrays(text: string, params?: Params, options?: CallOptions): Promise<unknown[][]>;
  arrays(query: Query, second?: Second, third?: CallOptions): Promise<unknown[][]> {
    return this.#call('arrays', [query, second, third]);
  }

  get<Row = Record<string, unknown>>(query: Sql, options?: CallOptions): Promise<Row | undefined>;
  get<Row = Record<string, unknown>>(
    text: string,
    params?: Params,
    options?: CallOptions,
  ): Promise<Row | undefined>;
  get(query: Query, second?: Second, third?: CallOptions): Promise<unknown> {
    return this.#call('get', [query, second, third]);
  }

  value<T = unknown>(query: Sql, options?: CallOptions): Promise<T | undefined>;
  value<T = unknown>(text: string, params?: Params, options?: CallOptions): Promise<T | undefined>;
  value(query: Query, second?: Second, third?: CallOptions): Promise<unknown> {
    return this.#call('value', [query, second, third]);
  }

  run(query: Sql, options?: CallOptions): Promise<RunResult>;
  run(text: string, params?: Params, options?: CallOptions): Promise<RunResult>;
  run(query: Query, second?: Second, third?: CallOptions): Promise<RunResult> {
    return this.#call('run', [query, second, third]);
  }

  json(query: Sql, options?: CallOptions): Promise<Uint8Array<ArrayBuffer>>;
  json(text: string, params?: Params, options?: CallOptions): Promise<Uint8Array<ArrayBuffer>>;
  json(query: Query, second?: Second, third?: CallOptions): Promise<Uint8Array<ArrayBuffer>> {
    return this.#call('json', [query, second, third]);
  }

  stream<Row = Record<string, unknown>>(query: Sql, options?: CallOptions): AsyncIterableIterator<Row>;
  stream<Row = Record<string, unknown>>(
    text: string,
    params?: Params,
    options?: CallOptions,
  ): AsyncIterableIterator<Row>;
  stream(query: Query, second?: Second, third?: CallOptions): AsyncIterableIterator<unknown> {
    return new RowStream(this.#streamStarter([query, second, third]));
  }

  batch<Row = Record<string, unknown>>(
    items: readonly SqlInput[],
    options?: CallOptions,
  ): Promise<BatchItemResult<Row>[]>;
  batch(items: readonly SqlInput[], options?: CallOptions): Promise<BatchItemResult[]> {
    return rejecting(() => {
      if (!Array.isArray(items)) throw new UsageError('A batch is an array of statements.');
      const statements = items.map((item: SqlInput, index) => this.#batchItem(item, index));
      return this.executeBatch(statements, checkCallOptions(options));
    });
  }

  script(text: string, options?: CallOptions): Promise<void> {
    return rejecting(() => {
      if (typeof text !== 'string') throw new UsageError('A script is a string; it takes no parameters.');
      checkText(text);
      return this.executeScript(text, checkCallOptions(options));
    });
  }

  /**
   * Not an async function: that would cost every call one more promise, and the promise that the caller holds
   * must be the one that a transaction counts as in flight.
   */
  #call<S extends Shape>(shape: S, given: Arguments): Promise<ShapeResult[S]> {
    try {
      const options = optionsOf(given);
      return this.execute(shape, statementOf(given, this.dialect), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Reads the arguments at once, while they are what the caller meant. A fault waits for the first row. */
  #streamStarter(given: Arguments): () => AsyncIterableIterator<Rows> {
    try {
      const options = optionsOf(given);
      const statement = statementOf(given, this.dialect);
      // The stream belongs to the flow, and so to the transaction, in which it was made, not to where it is
      // first read.
      return AsyncLocalStorage.bind(() => this.executeStream(statement, options));
    } catch (error) {
      return () => {
        throw error;
      };
    }
  }

  #batchItem(item: SqlInput, index: number): Statement {
    try {
      if (!Array.isArray(item)) return compile(item as Query, undefined, this.dialect);
      if (item.length !== 2) throw new UsageError('An array in a batch is a text and its parameters.');
      return compile(item[0], item[1], this.dialect);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`Statement ${index + 1} of the batch: ${error.message}`, { cause: error });
    }
  }
}

function rejecting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}

function statementOf(given: Arguments, dialect: Dialect): Statement {
  const query = given[0];
  if (query instanceof Sql) return compile(query, undefined, dialect);
  try {
    return compile(query, given[1], dialect);
  } catch (error) {
    throw isGivenOptionsAsParams(given, dialect) ? optionsAsParams(error) : error;
  }
}

function optionsOf(given: Arguments): CallOptions {
  if (!(given[0] instanceof Sql)) return checkCallOptions(given[2]);
  if (given[2] === undefined) return checkCallOptions(given[1]);
  throw new UsageError(
    'An sql`…` template carries its values: the call takes the template and options, no more.',
  );
}

/** `db.all('select 1', { timeoutMs: 5 })`: the text has no parameters, so the object was meant as options. */
function isGivenOptionsAsParams([query, second]: Arguments, dialect: Dialect): boolean {
  return typeof query === 'string' && looksLikeOptions(second) && !hasPlaceholders(query, dialect);
}

function optionsAsParams(cause: unknown): UsageError {
  return new UsageError(
    'Options stand where the parameters go: behind a text they are the third argument, (text, [], options).',
    { cause },
  );
}
