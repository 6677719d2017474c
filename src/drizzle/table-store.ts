import { count, sql, type SQL } from 'drizzle-orm';
import { getDb, type Database } from '../database/index.ts';
import type { CallOptions, Queryable, RunResult } from '../driver/index.ts';
import { drizzle } from './drizzle.ts';
import { InsertTexts, type InsertOfRows } from './insert-texts.ts';
import { filled, RowCodec } from './row-codec.ts';
import type { Scoped } from './scope.ts';
import {
  fieldsOf,
  type BuiltStatement,
  type Fields,
  type SelectStatement,
  type StatementBuilder,
} from './statement-builder.ts';
import type { TableFacts } from './table-facts.ts';

/** Where a repository's rows are; a function is asked with every call. */
export type RepositorySource = Database | Scoped | (() => Database | Scoped);

export type StoredRow = Record<string, unknown>;

/** Which rows, in which order. */
export interface Selection {
  readonly where: SQL | undefined;
  readonly orderBy?: readonly SQL[];
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  /** What else is read with each row, by keys that are not columns. */
  readonly beside?: Fields;
}

/** The statements of one table, written by drizzle, run by millpond. Decides nothing about rows. */
export class TableStore {
  readonly facts: TableFacts;
  readonly #source: RepositorySource;
  readonly #codec: RowCodec;
  readonly #inserts: InsertTexts;
  readonly #fields: Fields;
  readonly #builders = new WeakMap<object, StatementBuilder>();
  readonly #kept = new Map<string, BuiltStatement>();

  constructor(facts: TableFacts, source: RepositorySource = getDb) {
    this.facts = facts;
    this.#source = source;
    this.#codec = new RowCodec(facts);
    this.#inserts = new InsertTexts(facts);
    this.#fields = fieldsOf(facts.columns);
  }

  async find(selection: Selection, options: CallOptions): Promise<StoredRow[]> {
    const { calls, builder } = this.#open();
    const fields = { ...this.#fields, ...selection.beside };
    return this.#rows(calls, this.#select(builder, fields, selection).toSQL(), options);
  }

  /** By a condition of placeholders, whose text is written once. */
  async findKept(kept: Kept, options: CallOptions): Promise<StoredRow | undefined> {
    const { calls, builder } = this.#open();
    let built = this.#kept.get(kept.name);
    if (built === undefined) {
      built = this.#select(builder, this.#fields, { where: kept.where() }).toSQL();
      this.#kept.set(kept.name, built);
    }
    const params = filled(built.params, kept.values);
    const row = await calls.get<StoredRow>(built.sql, params, options);
    return row && this.#codec.decode([row])[0];
  }

  async count(where: SQL | undefined, options: CallOptions): Promise<number> {
    const { calls, builder } = this.#open();
    const built = this.#select(builder, { count: count().as('count') }, { where }).toSQL();
    return Number(await calls.value(built.sql, built.params, options));
  }

  async exists(where: SQL | undefined, options: CallOptions): Promise<boolean> {
    const { calls, builder } = this.#open();
    const built = this.#select(builder, { one: sql`1`.as('one') }, { where, limit: 1 }).toSQL();
    return (await calls.value(built.sql, built.params, options)) !== undefined;
  }

  /** All or nothing. */
  async insert(rows: readonly StoredRow[], options: CallOptions): Promise<StoredRow[]> {
    const { calls, statements } = this.#insertion(rows, this.#fields);
    const [only] = statements;
    if (only === undefined) return [];
    if (statements.length === 1) return this.#rows(calls, { sql: only[0], params: [...only[1]] }, options);
    const results = await calls.batch<StoredRow>(statements, options);
    return this.#decode(results.flatMap((result) => result.rows));
  }

  /** The same where the rows are not wanted back. @returns how many */
  async insertOnly(rows: readonly StoredRow[], options: CallOptions): Promise<number> {
    const { calls, statements } = this.#insertion(rows, undefined);
    if (statements.length === 0) return 0;
    const results = await calls.batch(statements, options);
    return results.reduce((sum, { rowsAffected }) => sum + rowsAffected, 0);
  }

  /** @param taken the keys that a row that is there takes from the new one; `set` is for the others */
  async upsert(
    row: StoredRow,
    { target, taken, set }: Conflict,
    options: CallOptions,
  ): Promise<StoredRow | undefined> {
    const { calls, builder } = this.#open();
    const { columns, table } = this.facts;
    const fromNew = taken.map((key) => {
      const name = builder.dialect.casing.getColumnCasing(columns[key]!);
      return [key, sql`excluded.${sql.identifier(name)}`] as const;
    });
    const insert = builder.insert(table).values([row]);
    const built = insert.onConflictDoUpdate({
      target: target.map((key) => columns[key]!),
      set: { ...Object.fromEntries(fromNew), ...set },
    });
    const [stored] = await this.#rows(calls, built.returning(this.#fields).toSQL(), options);
    return stored;
  }

  async update(set: StoredRow, where: SQL, options: CallOptions): Promise<StoredRow[]> {
    const { calls, builder } = this.#open();
    const change = builder.update(this.facts.table).set(set).where(where);
    return this.#rows(calls, change.returning(this.#fields).toSQL(), options);
  }

  async updateOnly(set: StoredRow, where: SQL, options: CallOptions): Promise<number> {
    const { calls, builder } = this.#open();
    return this.#run(calls, builder.update(this.facts.table).set(set).where(where).toSQL(), options);
  }

  async delete(where: SQL, options: CallOptions): Promise<number> {
    const { calls, builder } = this.#open();
    return this.#run(calls, builder.delete(this.facts.table).where(where).toSQL(), options);
  }

  /** The drizzle object whose statements run where the repository's do. */
  drizzle(): object {
    return this.#open().builder;
  }

  #open(): { readonly calls: Queryable; readonly builder: StatementBuilder } {
    const source = typeof this.#source === 'function' ? this.#source() : this.#source;
    if ('scope' in source) {
      return { calls: source.scope.calls, builder: source as unknown as StatementBuilder };
    }
    let builder = this.#builders.get(source);
    if (builder === undefined) {
      builder = drizzle(source, { dialect: this.facts.dialect }) as unknown as StatementBuilder;
      this.#builders.set(source, builder);
    }
    return { calls: source, builder };
  }

  #select(
    builder: StatementBuilder,
    fields: Fields,
    { where, orderBy = [], limit, offset }: Selection,
  ): SelectStatement {
    let select = builder.select(fields).from(this.facts.table).where(where);
    if (orderBy.length > 0) select = select.orderBy(...orderBy);
    // SQLite takes an offset only behind a limit: https://sqlite.org/lang_select.html#limitoffset
    const most =
      offset !== undefined && this.facts.dialect === 'sqlite' ? (limit ?? Number.MAX_SAFE_INTEGER) : limit;
    if (most !== undefined) select = select.limit(most);
    return offset === undefined ? select : select.offset(offset);
  }

  #insertion(
    rows: readonly StoredRow[],
    returning: Fields | undefined,
  ): { readonly calls: Queryable; readonly statements: InsertOfRows[] } {
    const { calls, builder } = this.#open();
    const encoded = rows.map((row) => this.#codec.encode(row));
    return { calls, statements: this.#inserts.statements(builder, encoded, returning) };
  }

  async #rows(
    calls: Queryable,
    { sql: text, params }: BuiltStatement,
    options: CallOptions,
  ): Promise<StoredRow[]> {
    return this.#decode(await calls.all<StoredRow>(text, params, options));
  }

  async #run(calls: Queryable, { sql: text, params }: BuiltStatement, options: CallOptions): Promise<number> {
    const { rowsAffected }: RunResult = await calls.run(text, params, options);
    return rowsAffected;
  }

  #decode(rows: StoredRow[]): StoredRow[] {
    this.#codec.decode(rows);
    return rows;
  }
}

/** A condition that is used again and again. */
interface Kept {
  /** By its text; there are as many as the program has names. */
  readonly name: string;
  /** Asked for once. */
  where(): SQL;
  /** For its placeholders, which are named by their index here. */
  readonly values: readonly unknown[];
}

interface Conflict {
  readonly target: readonly string[];
  readonly taken: readonly string[];
  readonly set: StoredRow;
}
