import type { StatementDescription } from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import type { DatabaseSync, StatementSync } from './binding.ts';
import { fromBigInt, toDriverValue, type Bindable } from './parameters.ts';
import { findDuplicateColumn } from './row-builder.ts';
import { SchemaFacts } from './schema-facts.ts';
import { StatementAnalyzer, type StatementAnalysis } from './statement-analysis.ts';
import { isBlankFrom } from './trailing-text.ts';

/** SQLITE_MAX_VARIABLE_NUMBER as Node builds it: https://sqlite.org/limits.html#max_variable_number */
const MAX_PARAMETERS = 32_766;

const NO_TYPE = { name: undefined, type: undefined } as const;

/**
 * A prepared statement and what is known of it. Rows are arrays: they keep duplicate and hostile column
 * names.
 */
export class PreparedStatement {
  readonly text: string;
  readonly analysis: StatementAnalysis;
  readonly #statement: StatementSync;
  readonly #analyzer: StatementAnalyzer;
  readonly #parameterCount: number;
  #columns: readonly string[];
  #duplicateColumn: string | undefined;
  #columnsVersion: number;
  #readsBigInts = false;

  constructor(text: string, statement: StatementSync, analyzer: StatementAnalyzer) {
    this.text = text;
    this.analysis = analyzer.result();
    this.#statement = statement;
    this.#analyzer = analyzer;
    if (!isBlankFrom(text, statement.sourceSQL.length)) throw severalStatementsError();
    statement.setReturnArrays(true);
    this.#parameterCount = countParameters(statement);
    this.#columns = columnNames(statement);
    this.#columnsVersion = analyzer.nextColumnsVersion();
    this.#duplicateColumn = findDuplicateColumn(this.#columns);
    // A read that meets an integer beyond 2^53 is run again in BigInt mode; a write must not run twice.
    if (this.analysis.writes && this.#columns.length > 0) this.#readBigInts();
  }

  get columns(): readonly string[] {
    return this.#columns;
  }

  /**
   * Another number whenever the columns may be others: they change under a statement (ALTER TABLE and `select
   * *`), and between two preparations of one text.
   */
  get columnsVersion(): number {
    return this.#columnsVersion;
  }

  /** @throws UsageError where rows of this statement cannot become objects. */
  assertDistinctColumns(): void {
    if (this.#duplicateColumn === undefined) return;
    throw new UsageError(
      `Two result columns are named "${this.#duplicateColumn}", and a row object can hold only one. ` +
        'Give one another name with AS.',
      { code: 'ERR_MILLPOND_DUPLICATE_COLUMN' },
    );
  }

  /** What the statement is, for those who generate code or invalidate caches. */
  describe(): StatementDescription {
    const { writes, tablesRead, tablesWritten } = this.analysis;
    const columns = this.#statement.columns().map(({ name, type, table, column }) => ({
      name,
      type: type ?? undefined,
      table: table ?? undefined,
      column: column ?? undefined,
    }));
    const parameters = Array.from({ length: this.#parameterCount }, () => NO_TYPE);
    return { writes, tablesRead, tablesWritten, columns, parameters };
  }

  all(params: readonly Bindable[]): unknown[][] {
    const values = this.#toValues(params);
    const rows = this.#execute(() => this.#statement.all(...values) as unknown as unknown[][]);
    return this.#readsBigInts ? rows.map((row) => row.map(fromBigInt)) : rows;
  }

  get(params: readonly Bindable[]): unknown[] | undefined {
    const values = this.#toValues(params);
    const row = this.#execute(() => this.#statement.get(...values) as unknown as unknown[] | undefined);
    return this.#readsBigInts ? row?.map(fromBigInt) : row;
  }

  /** Rows one by one; the iterator must be run to its end or returned before the statement is used again. */
  *iterate(params: readonly Bindable[]): Generator<unknown[]> {
    let { callbacks } = this.#analyzer;
    const rows = this.#statement.iterate(...this.#toValues(params)) as unknown as Iterable<unknown[]>;
    try {
      for (const row of rows) {
        if (this.#analyzer.callbacks !== callbacks) this.#refreshColumns();
        ({ callbacks } = this.#analyzer);
        yield this.#readsBigInts ? row.map(fromBigInt) : row;
      }
    } catch (error) {
      this.#reset();
      throw error;
    }
    if (this.#analyzer.callbacks !== callbacks) this.#refreshColumns();
  }

  /**
   * @returns what SQLite counts: changed rows, and the connection's last rowid (maybe of an earlier insert).
   */
  run(params: readonly Bindable[]): { readonly changes: number; readonly lastInsertRowid: number | bigint } {
    const values = this.#toValues(params);
    const { changes, lastInsertRowid } = this.#execute(() => this.#statement.run(...values));
    return { changes: Number(changes), lastInsertRowid: fromBigInt(lastInsertRowid) as number | bigint };
  }

  /**
   * Rows beyond 2^53 come as BigInt from here on; for statements that are iterated and cannot be run again.
   */
  readBigIntsFromNow(): void {
    if (!this.#readsBigInts) this.#readBigInts();
  }

  /** Node leaves an iterated statement as the failure did, and its next use would fail in its place. */
  #reset(): void {
    try {
      // iterate() resets and does not step.
      this.#statement.iterate();
    } catch {
      // What is said here is the failure that was thrown already.
    }
  }

  #readBigInts(): void {
    this.#readsBigInts = true;
    this.#statement.setReadBigInts(true);
  }

  #toValues(params: readonly Bindable[]): Bindable[] {
    if (params.length !== this.#parameterCount)
      throw parameterCountError(this.#parameterCount, params.length);
    const values: Bindable[] = [];
    for (let index = 0; index < params.length; index += 1) values.push(toDriverValue(params[index]!));
    return values;
  }

  #execute<T>(step: () => T): T {
    const callbacksBefore = this.#analyzer.callbacks;
    try {
      return step();
    } catch (error) {
      if (this.#readsBigInts || this.analysis.writes || !isOutOfRange(error)) throw error;
      this.#readBigInts();
      return step();
    } finally {
      // The authorizer was asked again, so SQLite prepared the statement again: the schema has changed.
      if (this.#analyzer.callbacks !== callbacksBefore) this.#refreshColumns();
    }
  }

  #refreshColumns(): void {
    this.#analyzer.schemaChanges += 1;
    const columns = columnNames(this.#statement);
    if (
      columns.length === this.#columns.length &&
      columns.every((name, index) => name === this.#columns[index])
    )
      return;
    this.#columns = columns;
    this.#columnsVersion = this.#analyzer.nextColumnsVersion();
    this.#duplicateColumn = findDuplicateColumn(columns);
  }
}

/** The prepared statements of one connection, the least recently used dropped first. */
export class StatementStore {
  readonly analyzer: StatementAnalyzer = new StatementAnalyzer((tables) => this.schema.behind(tables));
  readonly #database: DatabaseSync;
  readonly #limit: number;
  readonly #statements = new Map<string, PreparedStatement>();
  readonly #schema = new SchemaFacts((work) => this.trusted(work));
  #schemaKnownAt = 0;

  constructor(database: DatabaseSync, limit: number) {
    this.#database = database;
    this.#limit = limit;
    database.setAuthorizer(this.analyzer.authorize);
  }

  /** @throws UsageError for what may not run as SQL; SQLite's own error for what it cannot parse. */
  prepare(text: string): PreparedStatement {
    const known = this.#statements.get(text);
    if (known !== undefined) return this.#touch(known);
    const statement = this.prepareFresh(text);
    if (this.#statements.size >= this.#limit) this.#statements.delete(this.#statements.keys().next().value!);
    this.#statements.set(text, statement);
    return statement;
  }

  /** A statement for this caller alone: one that is being iterated cannot serve anybody else. */
  prepareFresh(text: string): PreparedStatement {
    // The C string would end there, and the rest would silently be dropped.
    if (text.includes('\0')) throw new UsageError('The SQL text holds a NUL character.');
    this.analyzer.reset();
    let prepared = this.#prepareOne(text);
    // The first statement that touches a virtual table connects it, which prepares writes to its shadow
    // tables: they are reported as if they were the statement's own. The second time only those are.
    if (this.analyzer.sawWrite) {
      this.analyzer.reset();
      prepared = this.#prepareOne(text);
    }
    const statement = new PreparedStatement(text, prepared, this.analyzer);
    if (statement.analysis.changesSchema) this.analyzer.schemaChanges += 1;
    return statement;
  }

  /** Runs text of the engine's own, which may do what callers' text may not. */
  trusted<T>(work: (database: DatabaseSync) => T): T {
    this.analyzer.trusted = true;
    try {
      return work(this.#database);
    } finally {
      this.analyzer.trusted = false;
    }
  }

  /** What is known about the tables as they are now. */
  get schema(): SchemaFacts {
    if (this.#schemaKnownAt !== this.analyzer.schemaChanges) this.#schema.forget();
    this.#schemaKnownAt = this.analyzer.schemaChanges;
    return this.#schema;
  }

  /** The connection's last rowid, exact beyond 2^53. */
  lastInsertRowid(): bigint {
    return this.trusted((database) => {
      const statement = database.prepare('select last_insert_rowid() as rowid');
      statement.setReadBigInts(true);
      return statement.get()!['rowid'] as bigint;
    });
  }

  clear(): void {
    this.#statements.clear();
  }

  /**
   * Marks a statement as used, so that it outlives those that are not; while there is room, nothing has to.
   */
  #touch(statement: PreparedStatement): PreparedStatement {
    if (this.#statements.size < this.#limit / 2) return statement;
    this.#statements.delete(statement.text);
    this.#statements.set(statement.text, statement);
    return statement;
  }

  #prepareOne(text: string): StatementSync {
    try {
      return this.#database.prepare(text);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_INVALID_ARG_VALUE') throw error;
      throw new UsageError('The SQL text holds no statement.');
    }
  }
}

function columnNames(statement: StatementSync): readonly string[] {
  return statement.columns().map((column) => column.name);
}

/**
 * Neither Node nor an unbound parameter (which reads as NULL) reveals the count; binding one too many does.
 */
function countParameters(statement: StatementSync): number {
  const accepts = (count: number): boolean => {
    try {
      // iterate() binds and does not step: nothing runs.
      statement.iterate(...new Array<null>(count).fill(null));
      return true;
    } catch {
      return false;
    }
  };
  let low = 0;
  let high = 1;
  while (high <= MAX_PARAMETERS && accepts(high)) [low, high] = [high, high * 2];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (accepts(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function isOutOfRange(error: unknown): boolean {
  return (error as { code?: string }).code === 'ERR_OUT_OF_RANGE';
}

function severalStatementsError(): UsageError {
  return new UsageError(
    'The text holds more than one statement; only the first would run. Use db.batch([…]) for several, or ' +
      'db.script(text) for a script without parameters.',
  );
}

function parameterCountError(expected: number, given: number): UsageError {
  const count = expected === 1 ? '1 parameter' : `${expected} parameters`;
  return new UsageError(
    `The statement has ${count}, and ${given} ${given === 1 ? 'value was' : 'values were'} given.`,
  );
}
