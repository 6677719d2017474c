import type { Shape } from '../driver/index.ts';
import type { DatabaseSync } from './binding.ts';
import type { CancelBoard } from './cancel-board.ts';
import { asPart, cancelledError } from './failure.ts';
import { Status, type Cursor, type Reply } from './protocol.ts';
import type { Bindable } from './parameters.ts';
import { encodeJsonBody, encodeRows, type Rows } from './result-encoding.ts';
import type { StatementAnalysis } from './statement-analysis.ts';
import { withoutValues } from './redact.ts';
import type { PreparedStatement, StatementStore } from './statement-store.ts';

/** Between two looks at the cancel board while rows are read one by one. */
const ROWS_BETWEEN_LOOKS = 64;

/** A statement as it came over the wire. */
export interface StatementCall {
  readonly seq: number;
  readonly shape: Shape;
  /** Read row by row and watch for a cancellation: the only way to stop where there is no interrupt. */
  readonly watch: boolean;
  readonly id: number;
  readonly params: readonly Bindable[];
}

/** What a statement gave, not yet written: a write is answered after COMMIT only. */
export interface StatementResult {
  write(reply: Reply): void;
}

/** The columns of a result, as they were when it was made. */
interface ResultColumns {
  readonly names: readonly string[];
  readonly version: number;
}

interface BatchStatement {
  readonly id: number;
  readonly params: readonly Bindable[];
}

/** What one statement of a batch gave. */
export interface BatchPart {
  readonly id: number;
  readonly columns: ResultColumns;
  readonly rowsAffected: number;
  readonly lastInsertId: number | bigint | null;
  readonly rows: readonly (readonly unknown[])[];
}

/** Runs statements on the connection of one worker and writes their results. */
export class StatementRunner {
  readonly #store: StatementStore;
  readonly #board: CancelBoard;
  readonly #texts = new Map<number, string>();
  /** By statement id, the version of the columns that the main thread knows. */
  readonly #knownColumns = new Map<number, number>();

  constructor(store: StatementStore, board: CancelBoard) {
    this.#store = store;
    this.#board = board;
  }

  learn(id: number, text: string): void {
    this.#texts.set(id, text);
  }

  forget(id: number): void {
    this.#texts.delete(id);
    this.#knownColumns.delete(id);
  }

  run(call: StatementCall): StatementResult {
    const text = this.#texts.get(call.id)!;
    return withoutValues(text, call.params, () => this.#run(call, text));
  }

  #run(call: StatementCall, text: string): StatementResult {
    const statement = this.#store.prepare(text);
    const startedAt = performance.now();
    if (call.shape === 'run') return this.#runWithoutRows(statement, call, startedAt);
    const needsNames = call.shape !== 'value' && call.shape !== 'arrays';
    if (needsNames) statement.assertDistinctColumns();
    const rows = this.#readRows(statement, call);
    // The columns of a read may have changed with the schema while it ran (ALTER TABLE and `select *`).
    if (needsNames && !statement.analysis.writes) statement.assertDistinctColumns();
    const micros = microsSince(startedAt);
    if (call.shape === 'json') return this.#toJsonBody(statement, call, rows, micros);
    const columns = columnsOf(statement);
    return { write: (reply) => this.#writeRows(reply, call, { columns, rows, micros }) };
  }

  readBatch(cursor: Cursor): BatchStatement[] {
    const statements: BatchStatement[] = [];
    for (let left = cursor.next<number>(); left > 0; left -= 1) {
      const id = cursor.next<number>();
      const text = cursor.next<string | null>();
      if (text !== null) this.learn(id, text);
      statements.push({ id, params: cursor.take<Bindable>(cursor.next<number>()) });
    }
    return statements;
  }

  runBatch(statements: readonly BatchStatement[]): BatchPart[] {
    return statements.map(({ id, params }, part) => {
      const text = this.#texts.get(id)!;
      return asPart(part, () => withoutValues(text, params, () => this.#runPart(text, id, params)));
    });
  }

  #runPart(text: string, id: number, params: readonly Bindable[]): BatchPart {
    const statement = this.#store.prepare(text);
    if (statement.columns.length === 0) {
      return { id, columns: columnsOf(statement), rows: [], ...this.#change(statement, params) };
    }
    statement.assertDistinctColumns();
    const rows = statement.all(params);
    // A RETURNING clause gives one row for each row changed: https://sqlite.org/lang_returning.html
    return {
      id,
      columns: columnsOf(statement),
      rows,
      rowsAffected: statement.analysis.writes ? rows.length : 0,
      lastInsertId: null,
    };
  }

  writeBatch(reply: Reply, seq: number, parts: readonly BatchPart[]): void {
    reply.wire.push(seq, Status.batch, parts.length);
    for (const { id, columns, rowsAffected, lastInsertId, rows } of parts) {
      reply.wire.push(id, rowsAffected, lastInsertId);
      // The rows of a part are written as a reply of their own.
      const news = this.#newColumns(id, columns);
      encodeRows(reply, seq, { columns: news, width: columns.names.length, rows, micros: 0 });
    }
  }

  runScript(database: DatabaseSync, text: string): null {
    const { analyzer } = this.#store;
    analyzer.reset();
    try {
      database.exec(text);
    } finally {
      analyzer.schemaChanges += 1;
    }
    return null;
  }

  /**
   * True for statements that cannot share a transaction: one that may leave a foreign key broken until COMMIT
   * (a neighbour could mend it, or see what must never be there), and one that changes what is known of the
   * tables.
   */
  mustRunAlone(id: number): boolean {
    const { deferring } = this.#store.schema;
    const analysis = this.#analyze(id);
    if (analysis === undefined) return false;
    if (analysis.changesSchema) return true;
    return deferring.size > 0 && analysis.tablesWritten.some((table) => deferring.has(table.toLowerCase()));
  }

  writes(id: number): boolean {
    return this.#analyze(id)?.writes === true;
  }

  #analyze(id: number): StatementAnalysis | undefined {
    try {
      return this.#store.prepare(this.#texts.get(id)!).analysis;
    } catch {
      // It will fail again when it is run, and then its caller is told.
      return undefined;
    }
  }

  #runWithoutRows(
    statement: PreparedStatement,
    { seq, params }: StatementCall,
    startedAt: number,
  ): StatementResult {
    const { rowsAffected, lastInsertId } = this.#change(statement, params);
    const micros = microsSince(startedAt);
    return { write: ({ wire }) => wire.push(seq, Status.run, rowsAffected, lastInsertId, micros) };
  }

  #change(
    statement: PreparedStatement,
    params: readonly Bindable[],
  ): Pick<BatchPart, 'rowsAffected' | 'lastInsertId'> {
    const { writes, insertsInto, tablesWritten } = statement.analysis;
    // Asked before the statement runs: a failure of this behind it, by an interrupt, would look like the
    // statement's own.
    const givesRowid = insertsInto !== undefined && this.#store.schema.hasRowid(insertsInto);
    const { changes, lastInsertRowid } = statement.run(params);
    // SQLite's counters keep their values through a statement that changes no row: CREATE TABLE would report
    // the rows of the INSERT before it.
    const rowsAffected = writes && tablesWritten.length > 0 ? changes : 0;
    if (!givesRowid || rowsAffected === 0) return { rowsAffected, lastInsertId: null };
    const isExact = typeof lastInsertRowid === 'bigint' || Number.isSafeInteger(lastInsertRowid);
    return { rowsAffected, lastInsertId: isExact ? lastInsertRowid : this.#store.lastInsertRowid() };
  }

  #readRows(statement: PreparedStatement, call: StatementCall): unknown[][] {
    if (call.shape === 'get' || call.shape === 'value') return this.#readFirst(statement, call.params);
    if (!call.watch) return statement.all(call.params);
    const rows: unknown[][] = [];
    statement.readBigIntsFromNow();
    for (const row of statement.iterate(call.params)) {
      rows.push(row);
      if (rows.length % ROWS_BETWEEN_LOOKS === 0 && this.#board.isCancelled(call.seq)) throw cancelledError();
    }
    return rows;
  }

  #readFirst(statement: PreparedStatement, params: readonly Bindable[]): unknown[][] {
    // get() stops at the first row. A write with RETURNING must change all of its rows, so it is run to its
    // end.
    if (statement.analysis.writes) return statement.all(params).slice(0, 1);
    const row = statement.get(params);
    return row === undefined ? [] : [row];
  }

  #toJsonBody(
    statement: PreparedStatement,
    call: StatementCall,
    rows: readonly (readonly unknown[])[],
    micros: number,
  ): StatementResult {
    const body = encodeJsonBody(statement.columns, rows);
    return {
      write: ({ wire, transfer }) => {
        wire.push(call.seq, Status.json, body, rows.length, micros);
        transfer.push(body.buffer as ArrayBuffer);
      },
    };
  }

  #writeRows(
    reply: Reply,
    { seq, id, shape }: StatementCall,
    result: { readonly columns: ResultColumns; readonly rows: Rows['rows']; readonly micros: number },
  ): void {
    const { columns, rows, micros } = result;
    if (shape === 'value') {
      const first = rows.map((row) => [row[0]]);
      return encodeRows(reply, seq, { columns: null, width: 1, rows: first, micros });
    }
    const news = this.#newColumns(id, columns);
    encodeRows(reply, seq, { columns: news, width: columns.names.length, rows, micros });
  }

  /** The columns, if the main thread knows others or none. */
  #newColumns(id: number, { names, version }: ResultColumns): readonly string[] | null {
    if (this.#knownColumns.get(id) === version) return null;
    this.#knownColumns.set(id, version);
    return names;
  }
}

function columnsOf({ columns, columnsVersion }: PreparedStatement): ResultColumns {
  return { names: columns, version: columnsVersion };
}

function microsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 1000);
}
