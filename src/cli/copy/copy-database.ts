import type { Database } from '../../database/index.ts';
import { QueryExecutionError, UsageError } from '../../errors/index.ts';
import { quoteId, quoteIds } from './quote.ts';
import { readSchema, type SourceSchema, type SourceTable } from './read-schema.ts';
import { RowSum, sumQuery, toCopyText } from './row-text.ts';
import { addForeignKey, createIndex, createTable, identityOf } from './target-schema.ts';
import { chooseTypes, type TypedColumn } from './target-types.ts';

export interface CopyProgress {
  readonly table: string;
  /** Rows of all tables that were sent so far. */
  readonly rowsDone: number;
  readonly rows: number;
}

export interface CopyOptions {
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
  /** Aborting leaves nothing in the target. */
  readonly signal?: AbortSignal | undefined;
}

export interface CopyResult {
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly checksum: string }[];
  /** What is not as it was: types that became wider, expressions and views that only SQLite understands. */
  readonly warnings: readonly string[];
}

/** Rows between two calls of `onProgress`. */
const ROWS_BETWEEN_TELLS = 10_000;
/** What has no limit of its own here: it takes as long as there are rows. */
const UNLIMITED = { timeoutMs: 0 } as const;

/**
 * Copies a SQLite database, as it is at one moment, into PostgreSQL: tables, rows, keys, indexes and
 * sequences. All of it in one transaction there, verified before its COMMIT: what is interrupted leaves
 * nothing, and may be run again. Each of the two transactions rests while the other one is busy: open both
 * databases with `idleInTransactionTimeoutMs: 0`.
 * @throws UsageError where a table of that name is there already
 * @throws QueryExecutionError where the target does not hold what the source does
 */
export async function copyDatabase(
  source: Database,
  target: Database,
  options: CopyOptions = {},
): Promise<CopyResult> {
  if (source.dialect !== 'sqlite' || target.dialect !== 'postgres')
    throw new UsageError('A copy goes from a SQLite database to one of PostgreSQL.');
  const { signal } = options;
  return source.transaction(
    () =>
      target.transaction(() => new Copy(source, target, options).run(), {
        name: 'copy',
        signal,
        ...UNLIMITED,
      }),
    { name: 'copy', readOnly: true, signal, ...UNLIMITED },
  );
}

/** One run, inside a transaction of each database: calls on both are part of them. */
class Copy {
  readonly #source: Database;
  readonly #target: Database;
  readonly #options: CopyOptions;
  readonly #warnings: string[] = [];
  #rows = 0;
  #rowsDone = 0;

  constructor(source: Database, target: Database, options: CopyOptions) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
  }

  async run(): Promise<CopyResult> {
    const schema = await readSchema(this.#source);
    await this.#refuseTaken(schema);
    this.#warnAboutOthers(schema);
    for (const { name } of schema.tables) this.#rows += await this.#countOf(name);
    const tables: CopyResult['tables'][number][] = [];
    for (const table of schema.tables) tables.push(await this.#copyTable(table));
    for (const table of schema.tables) await this.#addIndexes(table);
    for (const table of schema.tables) await this.#addForeignKeys(table, schema);
    return { tables, warnings: this.#warnings };
  }

  async #refuseTaken({ tables }: SourceSchema): Promise<void> {
    const taken: string[] = [];
    for (const { name } of tables) {
      const found = await this.#target.value('select to_regclass(:name)::text', { name: quoteId(name) });
      if (found !== null) taken.push(name);
    }
    if (taken.length > 0)
      throw new UsageError(`The target has these tables already: ${taken.join(', ')}. Nothing was copied.`);
  }

  #warnAboutOthers({ tables, others }: SourceSchema): void {
    for (const { type, name } of others)
      this.#warnings.push(`the ${type} ${name} did not come along: its SQL is SQLite's`);
    for (const { name, text } of tables) {
      if (/\binitially\s+deferred\b/i.test(text))
        this.#warnings.push(`foreign keys of ${name} are checked at once, no longer at COMMIT`);
      if (/\bcheck\s*\(/i.test(text)) this.#warnings.push(`CHECK constraints of ${name} did not come along`);
    }
  }

  async #countOf(table: string): Promise<number> {
    return (await this.#source.value<number>(`select count(*) from ${quoteId(table)}`, [], UNLIMITED)) ?? 0;
  }

  async #copyTable(table: SourceTable): Promise<CopyResult['tables'][number]> {
    const warn = (message: string): void => void this.#warnings.push(message);
    const columns = await chooseTypes(this.#source, table, warn);
    await this.#target.script(createTable(table, columns, warn));
    const names = quoteIds(columns.map(({ name }) => name));
    const sum = new RowSum();
    const rows = this.#told(
      table.name,
      this.#source.stream(`select ${names} from ${quoteId(table.name)}`, [], UNLIMITED),
    );
    const text = `copy ${quoteId(table.name)} (${names}) from stdin`;
    await this.#target.copyIn(text, toCopyText(rows, { table: table.name, columns, sum }), UNLIMITED);
    for (const [column, texts] of sum.replaced) await this.#assertUtf8(table.name, column, texts);
    await this.#verify(table.name, columns, sum);
    await this.#setSequence(table.name, columns);
    return { name: table.name, rows: sum.count, checksum: sum.checksum };
  }

  async *#told(
    table: string,
    rows: AsyncIterable<Record<string, unknown>>,
  ): AsyncGenerator<Record<string, unknown>, undefined> {
    const { onProgress } = this.#options;
    for await (const row of rows) {
      yield row;
      this.#rowsDone += 1;
      if (this.#rowsDone % ROWS_BETWEEN_TELLS === 0)
        onProgress?.({ table, rowsDone: this.#rowsDone, rows: this.#rows });
    }
    onProgress?.({ table, rowsDone: this.#rowsDone, rows: this.#rows });
    return undefined;
  }

  /** Bytes that are no UTF-8 were read as U+FFFD: the copy would hold another text. */
  async #assertUtf8(table: string, column: string, texts: number): Promise<void> {
    const id = quoteId(column);
    const real = await this.#source.value<number>(
      `select count(*) from ${quoteId(table)}
       where typeof(${id}) = 'text' and instr(cast(${id} as blob), x'efbfbd') > 0`,
      [],
      UNLIMITED,
    );
    if (real === texts) return;
    throw new QueryExecutionError(
      `Texts of ${table}.${column} are not UTF-8 (${texts - real!} of them). Nothing was copied.`,
    );
  }

  async #verify(table: string, columns: readonly TypedColumn[], sum: RowSum): Promise<void> {
    const found = await this.#target.get<{ count: number; checksum: string }>(
      sumQuery(table, columns),
      [],
      UNLIMITED,
    );
    if (Number(found?.count) === sum.count && found?.checksum === sum.checksum) return;
    throw new QueryExecutionError(
      `${table} is not the same in the target: ${sum.count} rows were sent, ${found?.count} are there` +
        `${Number(found?.count) === sum.count ? ', with other values' : ''}. Nothing was copied.`,
    );
  }

  /** The next row gets the number that SQLite would have given it, or a higher one. */
  async #setSequence(table: string, columns: readonly TypedColumn[]): Promise<void> {
    const column = identityOf(columns);
    if (column === undefined) return;
    const hasSequence = await this.#source.value(
      "select 1 from sqlite_schema where name = 'sqlite_sequence'",
    );
    const kept =
      hasSequence === undefined
        ? null
        : await this.#source.value<number>('select seq from sqlite_sequence where name = :table', { table });
    const highest = await this.#source.value<number | bigint | null>(
      `select max(${quoteId(column)}) from ${quoteId(table)}`,
    );
    const last = [kept, highest].reduce<bigint>(
      (most, one) => (one !== null && one !== undefined && BigInt(one) > most ? BigInt(one) : most),
      0n,
    );
    if (last < 1n) return;
    await this.#target.value('select setval(pg_get_serial_sequence(:table, :column), :last)', {
      table: quoteId(table),
      column,
      last,
    });
  }

  async #addIndexes({ name: table, indexes, columns }: SourceTable): Promise<void> {
    const key = columns.filter(({ keyPosition }) => keyPosition > 0);
    const isNullable = `select 1 from pg_constraint where contype = 'p' and conrelid = to_regclass(:table)`;
    if (key.length > 0 && (await this.#target.value(isNullable, { table: quoteId(table) })) === undefined)
      await this.#target.script(
        `create unique index on ${quoteId(table)} (${quoteIds(key.map(({ name }) => name))})`,
      );
    for (const index of indexes) {
      // What SQLite's own text says may be SQL that both understand.
      await this.#try(`the index ${index.name} of ${table}`, createIndex(table, index) ?? index.text!);
    }
  }

  /**
   * What SQLite keeps may be refused by PostgreSQL: long keys, names that differ beyond ASCII, rows that
   * refer to none. The rows come along nevertheless.
   */
  async #try(what: string, text: string): Promise<void> {
    try {
      await this.#target.transaction((tx) => tx.run(text, [], UNLIMITED), { propagation: 'nested' });
    } catch (error) {
      if (!(error instanceof QueryExecutionError)) throw error;
      this.#warnings.push(`${what} did not come along: ${error.message}`);
    }
  }

  async #addForeignKeys({ name: table, foreignKeys }: SourceTable, { tables }: SourceSchema): Promise<void> {
    for (const key of foreignKeys) {
      const parent = tables.find(({ name }) => name.toLowerCase() === key.parent.toLowerCase());
      if (parent === undefined) {
        this.#warnings.push(`a foreign key of ${table} did not come along: there is no table ${key.parent}`);
        continue;
      }
      const columns = key.columns.join(', ');
      await this.#try(`the foreign key (${columns}) of ${table}`, addForeignKey(table, key, parent));
    }
  }
}
