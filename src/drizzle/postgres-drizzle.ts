import type {
  ExtractTablesWithRelations,
  Query,
  RelationalSchemaConfig,
  SQL,
  TablesRelationalConfig,
} from 'drizzle-orm';
import type { BatchItem, BatchResponse } from 'drizzle-orm/batch';
import {
  PgDatabase,
  PgPreparedQuery,
  PgSession,
  PgTransaction,
  type PgDialect,
  type PgQueryResultHKT,
  type PreparedQueryConfig,
  type SelectedFieldsOrdered,
} from 'drizzle-orm/pg-core';
import type { CallOptions, Queryable, RunResult } from '../driver/index.ts';
import { runBatch, type BatchMember } from './batch.ts';
import { momentText } from './column-roles.ts';
import { RowMapping, type JoinsNotNullable } from './map-rows.ts';
import { withValues } from './placeholders.ts';
import { isRead, type QueryMetadata } from './query-metadata.ts';
import type { DrizzleTransactionOptions, Scope } from './scope.ts';

type Schema = Record<string, unknown>;
type Work<T, S extends Schema> = (tx: PostgresDrizzleTransaction<S>) => Promise<T>;
type RowsMapper = (rows: unknown[][]) => unknown;

/** What a statement gives that drizzle does not map: a raw one, or a write without `returning`. */
export interface PostgresResult<Row = Record<string, unknown>> {
  readonly rows: Row[];
  /** Of a write that drizzle built; of a raw text only its rows are known. */
  readonly rowsAffected?: number;
}

export interface PostgresResultHKT extends PgQueryResultHKT {
  readonly type: PostgresResult<this['row']>;
}

/** What all objects of one `drizzle()` have in common. */
export interface PostgresParts {
  readonly dialect: PgDialect;
  readonly schema: RelationalSchemaConfig<TablesRelationalConfig> | undefined;
  /** Given with each read. */
  readonly reads: CallOptions;
  /** A table of the schema has moments in drizzle's mode 'string'. */
  readonly hasMomentTexts: boolean;
}

/** Drizzle's database for PostgreSQL, whose statements are millpond's. */
export class PostgresDrizzle<S extends Schema = Record<string, never>> extends PgDatabase<
  PostgresResultHKT,
  S
> {
  /** Where its statements go. */
  readonly scope: Scope;
  readonly #session: PostgresSession;

  constructor(parts: PostgresParts, scope: Scope) {
    const session = new PostgresSession(parts, scope);
    super(parts.dialect, session, parts.schema as never);
    this.scope = scope;
    this.#session = session;
  }

  /** Runs `work` in a transaction; under a savepoint where one is running in this flow. */
  override transaction<T>(work: Work<T, S>, options?: DrizzleTransactionOptions): Promise<T> {
    return this.#session.transaction(work, options);
  }

  /** All or nothing, in order; writes without rows go in one trip, reads alone see one snapshot. */
  batch<U extends BatchItem<'pg'>, T extends Readonly<[U, ...U[]]>>(items: T): Promise<BatchResponse<T>> {
    return this.#session.batch(items) as Promise<BatchResponse<T>>;
  }
}

/** What drizzle's `transaction()` gives: every statement goes to that transaction, and ends with it. */
export class PostgresDrizzleTransaction<S extends Schema = Record<string, never>> extends PgTransaction<
  PostgresResultHKT,
  S,
  ExtractTablesWithRelations<S>
> {
  /** Where its statements go. */
  readonly scope: Scope;
  readonly #session: PostgresSession;

  constructor(parts: PostgresParts, scope: Scope) {
    const session = new PostgresSession(parts, scope);
    super(parts.dialect, session, parts.schema as never);
    this.scope = scope;
    this.#session = session;
  }

  /** Runs `work` under a savepoint: when it rejects, only what it did is undone. */
  override transaction<T>(work: Work<T, S>, options?: DrizzleTransactionOptions): Promise<T> {
    return this.#session.transaction(work, options);
  }

  /** All or nothing, in order. */
  batch<U extends BatchItem<'pg'>, T extends Readonly<[U, ...U[]]>>(items: T): Promise<BatchResponse<T>> {
    return this.#session.batch(items) as Promise<BatchResponse<T>>;
  }
}

class PostgresSession extends PgSession<PostgresResultHKT, Schema, TablesRelationalConfig> {
  readonly #parts: PostgresParts;
  readonly #scope: Scope;

  constructor(parts: PostgresParts, scope: Scope) {
    super(parts.dialect);
    this.#parts = parts;
    this.#scope = scope;
  }

  // oxlint-disable-next-line max-params -- drizzle's
  override prepareQuery<T extends PreparedQueryConfig = PreparedQueryConfig>(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    name: string | undefined,
    _isResponseInArrayMode: boolean,
    mapper?: RowsMapper,
    metadata?: QueryMetadata,
  ): PostgresPrepared<T> {
    const options = isRead(metadata, mapper) ? { ...this.#parts.reads, name } : { name };
    const { hasMomentTexts } = this.#parts;
    const { calls } = this.#scope;
    return new PostgresPrepared({ calls, query, fields, mapper, metadata, hasMomentTexts, options });
  }

  override transaction<T, S extends Schema>(
    work: Work<T, S>,
    options?: DrizzleTransactionOptions,
  ): Promise<T> {
    return this.#scope.transaction(
      (inner) => work(new PostgresDrizzleTransaction<S>(this.#parts, inner)),
      options,
    );
  }

  override async count(query: SQL): Promise<number> {
    const { sql, params } = this.#parts.dialect.sqlToQuery(query);
    return Number(await this.#scope.calls.value(sql, params, this.#parts.reads));
  }

  async batch(items: readonly BatchItem<'pg'>[]): Promise<unknown[]> {
    return runBatch(
      this.#scope,
      items.map((item) => this.#member(item)),
    );
  }

  #member(item: BatchItem<'pg'>): BatchMember {
    const prepared = (item as unknown as { _prepare(): PostgresPrepared | RawQuery })._prepare();
    if (prepared instanceof PostgresPrepared) return prepared.toBatchMember();
    // `db.execute(sql`…`)` is its own prepared query.
    return this.prepareQuery(prepared.getQuery(), undefined, undefined, false).toBatchMember();
  }
}

interface RawQuery {
  getQuery(): Query;
}

interface PreparedParts {
  readonly calls: Queryable;
  readonly query: Query;
  /** Of a select or `returning`. */
  readonly fields: SelectedFieldsOrdered | undefined;
  /** Of a relational query. */
  readonly mapper: RowsMapper | undefined;
  readonly metadata: QueryMetadata | undefined;
  readonly hasMomentTexts: boolean;
  readonly options: CallOptions;
}

/** A statement with its mapping; the engine keeps it prepared by its text. */
class PostgresPrepared<T extends PreparedQueryConfig = PreparedQueryConfig> extends PgPreparedQuery<T> {
  /** Set by drizzle's select builder. */
  joinsNotNullableMap: JoinsNotNullable | undefined;
  readonly #parts: PreparedParts;
  readonly #mapping: RowMapping | undefined;

  constructor(parts: PreparedParts) {
    super(parts.query, undefined, undefined);
    this.#parts = parts;
    this.#mapping = parts.fields === undefined ? undefined : new RowMapping(parts.fields);
  }

  override execute(values?: Record<string, unknown>): Promise<T['execute']> {
    return this.#execute(this.#parts.calls, values);
  }

  /** What drizzle's own `session.all()` calls. */
  async all(values: Record<string, unknown> = {}): Promise<unknown[]> {
    const { calls, query, options } = this.#parts;
    return calls.all(query.sql, withValues(query.params, values), options);
  }

  toBatchMember(): BatchMember {
    const { query, metadata, mapper, fields } = this.#parts;
    const isWrite = metadata !== undefined && metadata.type !== 'select' && fields === undefined;
    return {
      isRead: isRead(metadata, mapper),
      write: isWrite
        ? { statement: [query.sql, withValues(query.params)], toResult: writeResult }
        : undefined,
      execute: (calls) => this.#execute(calls),
    };
  }

  async #execute(calls: Queryable, values: Record<string, unknown> = {}): Promise<unknown> {
    const { query, mapper, metadata, options } = this.#parts;
    const params = withValues(query.params, values);
    if (mapper !== undefined) {
      const rows = await calls.arrays(query.sql, params, options);
      return mapper(this.#parts.hasMomentTexts ? rows.map((row) => row.map(momentOrValue)) : rows);
    }
    if (this.#mapping !== undefined) {
      return this.#mapping.map(await calls.arrays(query.sql, params, options), this.joinsNotNullableMap);
    }
    if (metadata === undefined) return { rows: await calls.all(query.sql, params, options) };
    return writeResult(await calls.run(query.sql, params, options));
  }
}

/** A relational query says nothing of its columns: texts of moments are what all of them can read. */
function momentOrValue(value: unknown): unknown {
  const isMoment =
    value instanceof Date || (Array.isArray(value) && value.some((one) => one instanceof Date));
  return isMoment ? momentText(value) : value;
}

function writeResult({ rowsAffected }: RunResult): PostgresResult {
  return { rows: [], rowsAffected };
}
