import { sql } from 'drizzle-orm';
import { isPlaceholder, type EncodedRow, type RowShape } from './row-codec.ts';
import type { BuiltStatement, Fields, StatementBuilder } from './statement-builder.ts';
import type { TableFacts } from './table-facts.ts';

/** One statement of an insert of many rows. */
export type InsertOfRows = readonly [text: string, params: readonly unknown[]];

/**
 * Rows of one statement. Few sizes, so that few texts are parsed by drizzle and prepared by the engine, and
 * nearly all rows are in the largest.
 */
const SIZES = [256, 64, 16, 4, 1] as const;
/** SQLite's limit; PostgreSQL's is higher. https://sqlite.org/limits.html#max_variable_number */
const MOST_VALUES = 32_766;

/** A text for a number of rows of one shape. */
interface InsertText {
  readonly sql: string;
  /** Of one row: a value that is always the same, or undefined for the row's next cell. */
  readonly pattern: readonly ({ readonly value: unknown } | undefined)[];
}

/** Inserts of one table: drizzle writes each text once, and the values are put in here. */
export class InsertTexts {
  readonly #facts: TableFacts;
  readonly #texts = new WeakMap<RowShape, Map<string, InsertText>>();

  constructor(facts: TableFacts) {
    this.#facts = facts;
  }

  /** In the order of the rows. */
  statements(
    builder: StatementBuilder,
    rows: readonly EncodedRow[],
    returning: Fields | undefined,
  ): InsertOfRows[] {
    const statements: InsertOfRows[] = [];
    for (let at = 0; at < rows.length;) {
      const run = sameShape(rows, at);
      statements.push(...this.#ofOneShape(builder, rows.slice(at, at + run), returning));
      at += run;
    }
    return statements;
  }

  #ofOneShape(
    builder: StatementBuilder,
    rows: readonly EncodedRow[],
    returning: Fields | undefined,
  ): InsertOfRows[] {
    const { withSql } = rows[0]!;
    if (withSql !== undefined) {
      const { sql: text, params } = this.#build(builder, [withSql], returning);
      return [[text, params]];
    }
    const statements: InsertOfRows[] = [];
    for (let at = 0; at < rows.length;) {
      const size = SIZES.find((one) => one <= rows.length - at && one * this.#width <= MOST_VALUES) ?? 1;
      const text = this.#text(builder, { row: rows[at]!, size, returning });
      statements.push([text.sql, paramsOf(text, rows, { at, size })]);
      at += size;
    }
    return statements;
  }

  #build(
    builder: StatementBuilder,
    rows: readonly Readonly<Record<string, unknown>>[],
    returning: Fields | undefined,
  ): BuiltStatement {
    const insert = builder.insert(this.#facts.table).values(rows);
    return (returning === undefined ? insert : insert.returning(returning)).toSQL();
  }

  #text(
    builder: StatementBuilder,
    { row, size, returning }: { row: EncodedRow; size: number; returning: Fields | undefined },
  ): InsertText {
    const key = `${size} ${returning === undefined}`;
    const texts = this.#textsOf(row.shape);
    const known = texts.get(key);
    if (known !== undefined) return known;
    const placeholders = Object.fromEntries(row.shape.keys.map((name) => [name, sql.placeholder(name)]));
    const { params } = this.#build(builder, [placeholders], undefined);
    const text = {
      sql: this.#build(
        builder,
        Array.from({ length: size }, () => placeholders),
        returning,
      ).sql,
      pattern: params.map((param) => (isPlaceholder(param) ? undefined : { value: param })),
    };
    texts.set(key, text);
    return text;
  }

  #textsOf(shape: RowShape): Map<string, InsertText> {
    const known = this.#texts.get(shape);
    if (known !== undefined) return known;
    const texts = new Map<string, InsertText>();
    this.#texts.set(shape, texts);
    return texts;
  }

  get #width(): number {
    return Object.keys(this.#facts.columns).length;
  }
}

/** How many rows from `at` on have the shape of the first; one that holds SQL is on its own. */
function sameShape(rows: readonly EncodedRow[], at: number): number {
  const { shape, withSql } = rows[at]!;
  if (withSql !== undefined) return 1;
  let end = at + 1;
  while (end < rows.length && rows[end]!.shape === shape && rows[end]!.withSql === undefined) end += 1;
  return end - at;
}

function paramsOf(
  { pattern }: InsertText,
  rows: readonly EncodedRow[],
  { at, size }: { at: number; size: number },
): unknown[] {
  const params: unknown[] = [];
  for (let index = at; index < at + size; index += 1) {
    const { cells } = rows[index]!;
    let next = 0;
    for (const constant of pattern) params.push(constant === undefined ? cells[next++] : constant.value);
  }
  return params;
}
