import { Column, is, Placeholder, SQL, type SQLWrapper } from 'drizzle-orm';
import { UsageError } from '../errors/index.ts';
import { isDeletionMark } from './column-roles.ts';
import type { TableFacts } from './table-facts.ts';

type Row = Record<string, unknown>;

/** A new row, as the engine is to have it. */
export interface EncodedRow {
  /** Which columns have a value: rows of one shape can be inserted by one text. */
  readonly shape: string;
  /** The keys of those columns, in order. */
  readonly keys: readonly string[];
  readonly cells: readonly unknown[];
  /** Set when a value is SQL, which becomes part of the text: the values as they were given. */
  readonly values: Readonly<Row> | undefined;
}

/** Values on their way from and to the engine, by the columns' own mapping. */
export class RowCodec {
  readonly #facts: TableFacts;
  readonly #insertable: readonly (readonly [key: string, Column])[];
  /** Most columns read what the engine gives as it is. */
  readonly #decoded: readonly (readonly [key: string, Column])[];

  constructor(facts: TableFacts) {
    this.#facts = facts;
    const columns = Object.entries(facts.columns);
    this.#insertable = columns.filter(
      ([, { generated }]) => (generated?.type ?? 'byDefault') === 'byDefault',
    );
    this.#decoded = columns.filter(([, column]) => hasDecoding(column));
  }

  /** In place: the rows are the caller's alone. */
  decode(rows: readonly Row[]): readonly Row[] {
    if (this.#decoded.length === 0) return rows;
    for (const row of rows) {
      for (const [key, column] of this.#decoded) {
        if (row[key] !== null) row[key] = column.mapFromDriverValue(row[key]);
      }
    }
    return rows;
  }

  /** With the defaults that the program computes; those of the database are left to it. */
  encode(row: Row): EncodedRow {
    const keys: string[] = [];
    const cells: unknown[] = [];
    const values: Row = {};
    let hasSql = false;
    let given = 0;
    for (const [key, column] of this.#insertable) {
      if (row[key] !== undefined) given += 1;
      const value = row[key] === undefined ? computedDefault(column) : row[key];
      if (value === undefined) continue;
      const cell = isSql(value) ? value : encoded(column, value);
      hasSql ||= isSql(cell);
      keys.push(key);
      cells.push(cell);
      values[key] = value;
    }
    this.#assertKnown(row, given);
    return { shape: keys.join(), keys, cells, values: hasSql ? values : undefined };
  }

  #assertKnown(row: Row, given: number): void {
    const defined = Object.keys(row).filter((key) => row[key] !== undefined);
    if (defined.length === given) return;
    const alien = defined.find((key) => !this.#insertable.some(([known]) => known === key));
    throw new UsageError(`The table "${this.#facts.name}" has no column "${alien}" that could be written.`);
  }
}

/** The values for a text's placeholders, which are named by their index in `values`. */
export function filled(params: readonly unknown[], values: readonly unknown[]): unknown[] {
  return params.map((param) => {
    const { value, encoder } = (param ?? {}) as { value?: unknown; encoder?: Column };
    if (!is(value, Placeholder)) return param;
    return encoder!.mapToDriverValue(values[Number(value.name)]);
  });
}

export function isPlaceholder(param: unknown): boolean {
  return is((param as { value?: unknown } | null)?.value, Placeholder);
}

export function encoded(column: Column, value: unknown): unknown {
  return value === null ? null : column.mapToDriverValue(value);
}

export function isSql(value: unknown): value is SQL & SQLWrapper {
  return typeof value === 'object' && value !== null && is(value, SQL);
}

function hasDecoding(column: Column): boolean {
  // oxlint-disable-next-line unbound-method -- compared, not called
  return column.mapFromDriverValue !== Column.prototype.mapFromDriverValue;
}

/** As drizzle does: `$defaultFn`, and `$onUpdateFn` where the column has no default of another kind. */
function computedDefault(column: Column): unknown {
  if (column.defaultFn !== undefined) return isDeletionMark(column) ? undefined : column.defaultFn();
  return column.onUpdateFn !== undefined && !column.hasDefault ? column.onUpdateFn() : undefined;
}
