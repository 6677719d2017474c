import type {
  ExtractTablesWithRelations,
  Query,
  RelationalSchemaConfig,
  SQL,
  TablesRelationalConfig,
} from 'drizzle-orm';
import type { BatchItem, BatchResponse } from 'drizzle-orm/batch';
import {
  BaseSQLiteDatabase,
  type SQLiteAsyncDialect,
  SQLitePreparedQuery,
  SQLiteSession,
  SQLiteTransaction,
  type PreparedQueryConfig,
  type SelectedFieldsOrdered,
  type SQLiteExecuteMethod,
} from 'drizzle-orm/sqlite-core';
import type { CallOptions, Queryable, RunResult } from '../driver/index.ts';
import { runBatch, type BatchMember } from './batch.ts';
import { RowMapping, type JoinsNotNullable } from './map-rows.ts';
import { withValues } from './placeholders.ts';
import { isRead, type QueryMetadata } from './query-metadata.ts';
import type { DrizzleTransactionOptions, Scope } from './scope.ts';

type Schema = Record<string, unknown>;
type Work<T, S extends Schema> = (tx: SqliteDrizzleTransaction<S>) => Promise<T>;
type RowsMapper = (rows: unknown[][]) => unknown;

/** What all objects of one `drizzle()` have in common. */
export interface SqliteParts {
  readonly dialect: SQLiteAsyncDialect;
  readonly schema: RelationalSchemaConfig<TablesRelationalConfig> | undefined;
  /** Given with each read. */
  readonly reads: CallOptions;
}

/** Drizzle's database for SQLite, whose statements are millpond's. */
export class SqliteDrizzle<S extends Schema = Record<string, never>> extends BaseSQLiteDatabase<
  'async',
  RunResult,
  S
> {
  /** Where its statements go. */
  readonly scope: Scope;
  readonly #session: SqliteSession;

  constructor(parts: SqliteParts, scope: Scope) {
    const session = new SqliteSession(parts, scope);
    super('async', parts.dialect, session, parts.schema as never);
    this.scope = scope;
    this.#session = session;
  }

  /** Runs `work` in a transaction; under a savepoint where one is running in this flow. */
  override transaction<T>(work: Work<T, S>, options?: DrizzleTransactionOptions): Promise<T> {
    return this.#session.transaction(work, options);
  }

  /** All or nothing, in order; writes without rows go in one trip, reads alone see one snapshot. */
  batch<U extends BatchItem<'sqlite'>, T extends Readonly<[U, ...U[]]>>(items: T): Promise<BatchResponse<T>> {
    return this.#session.batch(items) as Promise<BatchResponse<T>>;
  }
}

/** What drizzle's `transaction()` gives: every statement goes to that transaction, and ends with it. */
export class SqliteDrizzleTransaction<S extends Schema = Record<string, never>> extends SQLiteTransaction<
  'async',
  RunResult,
  S,
  ExtractTablesWithRelations<S>
> {
  /** Where its statements go. */
  readonly scope: Scope;
  readonly #session: SqliteSession;

  constructor(parts: SqliteParts, scope: Scope) {
    const session = new SqliteSession(parts, scope);
    super('async', parts.dialect, session, parts.schema as never);
    this.scope = scope;
    this.#session = session;
  }

  /** Runs `work` under a savepoint: when it rejects, only what it did is undone. */
  override transaction<T>(work: Work<T, S>, options?: DrizzleTransactionOptions): Promise<T> {
    return this.#session.transaction(work, options);
  }

  /** All or nothing, in order. */
  batch<U extends BatchItem<'sqlite'>, T extends Readonly<[U, ...U[]]>>(items: T): Promise<BatchResponse<T>> {
    return this.#session.batch(items) as Promise<BatchResponse<T>>;
  }
}

class SqliteSession extends SQLiteSession<'async', RunResult, Schema, TablesRelationalConfig> {
  readonly #parts: SqliteParts;
  readonly #scope: Scope;

  constructor(parts: SqliteParts, scope: Scope) {
    super(parts.dialect);
    this.#parts = parts;
    this.#scope = scope;
  }

  // oxlint-disable-next-line max-params -- drizzle's
  override prepareQuery(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    method: SQLiteExecuteMethod,
    _isResponseInArrayMode: boolean,
    mapper?: RowsMapper,
    metadata?: QueryMetadata,
  ): SqlitePrepared {
    const options = isRead(metadata, mapper) ? this.#parts.reads : {};
    return new SqlitePrepared({ calls: this.#scope.calls, query, fields, method, mapper, metadata, options });
  }

  override transaction<T, S extends Schema>(
    work: Work<T, S>,
    options?: DrizzleTransactionOptions,
  ): Promise<T> {
    return this.#scope.transaction(
      (inner) => work(new SqliteDrizzleTransaction<S>(this.#parts, inner)),
      options,
    );
  }

  override async count(query: SQL): Promise<number> {
    const { sql, params } = this.#parts.dialect.sqlToQuery(query);
    return Number(await this.#scope.calls.value(sql, params, this.#parts.reads));
  }

  async batch(items: readonly BatchItem<'sqlite'>[]): Promise<unknown[]> {
    return runBatch(
      this.#scope,
      items.map((item) => this.#member(item)),
    );
  }

  #member(item: BatchItem<'sqlite'>): BatchMember {
    const prepared = (item as unknown as { _prepare(): SqlitePrepared | RawQuery })._prepare();
    if (prepared instanceof SqlitePrepared) return prepared.toBatchMember();
    // `db.run(sql`…`)` and the like are their own prepared query.
    const { method, ...query } = prepared.getQuery();
    const calls = this.#scope.calls;
    const raw = new SqlitePrepared({ calls, query, fields: undefined, method: 'all', options: {} });
    return raw.toBatchMember(method);
  }
}

interface RawQuery {
  getQuery(): Query & { readonly method: RawMethod };
}

type RawMethod = SQLiteExecuteMethod | 'values';

interface PreparedParts {
  readonly calls: Queryable;
  readonly query: Query;
  /** Of a select or `returning`. */
  readonly fields: SelectedFieldsOrdered | undefined;
  readonly method: SQLiteExecuteMethod;
  /** Of a relational query. */
  readonly mapper?: RowsMapper | undefined;
  readonly metadata?: QueryMetadata | undefined;
  readonly options: CallOptions;
}

/** A statement with its mapping; the engine keeps it prepared by its text. */
class SqlitePrepared extends SQLitePreparedQuery<PreparedQueryConfig & { type: 'async' }> {
  /** Set by drizzle's select builder. */
  joinsNotNullableMap: JoinsNotNullable | undefined;
  readonly #parts: PreparedParts;
  readonly #mapping: RowMapping | undefined;
  /** What the engine gives for one row is enough: it reads no further. */
  readonly #stopsAtOne: boolean;

  constructor(parts: PreparedParts) {
    super('async', parts.method, parts.query);
    this.#parts = parts;
    const { fields, mapper, metadata } = parts;
    this.#mapping = fields === undefined || mapper !== undefined ? undefined : new RowMapping(fields);
    this.#stopsAtOne = metadata?.type === 'select' && this.#mapping?.takesObjects === true;
  }

  override run(values?: Record<string, unknown>): Promise<RunResult> {
    return this.#run(this.#parts.calls, values);
  }

  override all(values?: Record<string, unknown>): Promise<unknown[]> {
    return this.#all(this.#parts.calls, values);
  }

  override get(values?: Record<string, unknown>): Promise<unknown> {
    return this.#get(this.#parts.calls, values);
  }

  override values(values?: Record<string, unknown>): Promise<unknown[][]> {
    return this.#arrays(this.#parts.calls, values);
  }

  toBatchMember(method: RawMethod = this.#parts.method): BatchMember {
    const { query, metadata, mapper } = this.#parts;
    return {
      isRead: isRead(metadata, mapper),
      write: method === 'run' ? { statement: [query.sql, this.#params()], toResult: runResult } : undefined,
      execute: (calls) => this.#execute(method, calls),
    };
  }

  #execute(method: RawMethod, calls: Queryable): Promise<unknown> {
    if (method === 'run') return this.#run(calls);
    if (method === 'get') return this.#get(calls);
    return method === 'values' ? this.#arrays(calls) : this.#all(calls);
  }

  async #run(calls: Queryable, values?: Record<string, unknown>): Promise<RunResult> {
    return calls.run(this.query.sql, this.#params(values), this.#parts.options);
  }

  async #all(calls: Queryable, values?: Record<string, unknown>): Promise<unknown[]> {
    const { fields, mapper, options } = this.#parts;
    const params = this.#params(values);
    if (fields === undefined && mapper === undefined) return calls.all(this.query.sql, params, options);
    const rows = await calls.arrays(this.query.sql, params, options);
    return mapper === undefined ? this.#mapped(rows) : (mapper(rows) as unknown[]);
  }

  async #get(calls: Queryable, values?: Record<string, unknown>): Promise<unknown> {
    const { fields, mapper, options } = this.#parts;
    const params = this.#params(values);
    if (fields === undefined && mapper === undefined) return calls.get(this.query.sql, params, options);
    if (this.#stopsAtOne) {
      const row = await calls.get(this.query.sql, params, options);
      return row && this.#mapped([Object.values(row)])[0];
    }
    const rows = await calls.arrays(this.query.sql, params, options);
    // The mapper of a relational query knows that it is for one row.
    return mapper === undefined ? this.#mapped(rows.slice(0, 1))[0] : mapper(rows);
  }

  async #arrays(calls: Queryable, values?: Record<string, unknown>): Promise<unknown[][]> {
    return calls.arrays(this.query.sql, this.#params(values), this.#parts.options);
  }

  #mapped(rows: unknown[][]): unknown[] {
    return this.#mapping!.map(rows, this.joinsNotNullableMap);
  }

  #params(values: Record<string, unknown> = {}): unknown[] {
    return withValues(this.query.params, values);
  }
}

function runResult({ rowsAffected, lastInsertId }: RunResult): RunResult {
  return lastInsertId === undefined ? { rowsAffected } : { rowsAffected, lastInsertId };
}
