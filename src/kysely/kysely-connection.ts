import type { AbortableOperationOptions, CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import type { Database } from '../database/index.ts';
import type { CallOptions, Queryable, RunResult } from '../driver/index.ts';
import type { HeldTransaction } from './held-transaction.ts';
import type { RawStatements } from './raw-statements.ts';

const MAY_RETURN: ReadonlySet<string> = new Set([
  'InsertQueryNode',
  'UpdateQueryNode',
  'DeleteQueryNode',
  'MergeQueryNode',
]);

/** What Kysely sees as a connection: the database, or the transaction that was begun on it. */
export class KyselyConnection implements DatabaseConnection {
  /** Stays after its end, so that a late query is refused instead of run on its own. */
  transaction: HeldTransaction | undefined;
  readonly #db: Database;
  readonly #raw: RawStatements;

  constructor(db: Database, raw: RawStatements) {
    this.#db = db;
    this.#raw = raw;
  }

  async executeQuery<Row>(
    query: CompiledQuery,
    { signal }: AbortableOperationOptions = {},
  ): Promise<QueryResult<Row>> {
    try {
      return await this.#execute<Row>(query, { signal });
    } catch (error) {
      // Kysely has rejected with the reason, waits for this to settle, and would print an error.
      if (signal?.aborted === true && error === signal.reason) return { rows: [] };
      throw error;
    }
  }

  async *streamQuery<Row>(
    { sql, parameters }: CompiledQuery,
    chunkSize: number,
    { signal }: AbortableOperationOptions = {},
  ): AsyncIterableIterator<QueryResult<Row>> {
    const most = Math.max(1, chunkSize);
    let rows: Row[] = [];
    for await (const row of this.#calls.stream<Row>(sql, parameters, { signal })) {
      rows.push(row);
      if (rows.length < most) continue;
      yield { rows };
      rows = [];
    }
    if (rows.length > 0) yield { rows };
  }

  /** The signal that the query was given stops it, whatever the strategy. */
  async cancelQuery(): Promise<void> {
    // Nothing is left to do.
  }

  get #calls(): Queryable {
    return this.transaction?.calls ?? this.#db;
  }

  async #execute<Row>(query: CompiledQuery, options: CallOptions): Promise<QueryResult<Row>> {
    const { sql, parameters } = query;
    const { kind } = query.query;
    if (kind === 'RawNode') return this.#executeRaw<Row>(query, options);
    if (!givesRows(query)) return resultOf<Row>(await this.#calls.run(sql, parameters, options));
    const rows = await this.#calls.all<Row>(sql, parameters, options);
    return MAY_RETURN.has(kind) ? { rows, numAffectedRows: BigInt(rows.length) } : { rows };
  }

  async #executeRaw<Row>(
    { sql, parameters }: CompiledQuery,
    options: CallOptions,
  ): Promise<QueryResult<Row>> {
    if (this.transaction !== undefined || this.#db.currentTransaction !== undefined) {
      // The statement may be about what only this transaction sees, so it is not asked about beforehand.
      const [result] = await this.#calls.batch<Row>([[sql, parameters]], options);
      return { ...resultOf<Row>(result!), rows: result!.rows };
    }
    if (!(await this.#raw.givesRows(sql))) {
      return resultOf<Row>(await this.#calls.run(sql, parameters, options));
    }
    return { rows: await this.#calls.all<Row>(sql, parameters, options) };
  }
}

function givesRows({ query }: CompiledQuery): boolean {
  if (query.kind === 'SelectQueryNode' || ('explain' in query && query.explain !== undefined)) return true;
  return MAY_RETURN.has(query.kind) && 'returning' in query && query.returning !== undefined;
}

function resultOf<Row>({ rowsAffected, lastInsertId }: RunResult): QueryResult<Row> {
  return {
    rows: [],
    numAffectedRows: BigInt(rowsAffected),
    ...(lastInsertId !== undefined && { insertId: BigInt(lastInsertId) }),
  };
}
