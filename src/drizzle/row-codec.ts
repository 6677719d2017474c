import { Column, is, Placeholder, SQL, type SQLWrapper } from 'drizzle-orm';
import { UsageError } from '../errors/index.ts';
import { isDeletionMark, isMomentAsText, isReadAsJson, momentText } from './column-roles.ts';
import type { TableFacts } from './table-facts.ts';

type Row = Record<string, unknown>;

/** Which columns have a value: rows of one shape can be inserted by one text. */
export interface RowShape {
  /** Of those columns, in order. */
  readonly keys: readonly string[];
}

/** A new row, as the engine is to have it. */
export interface EncodedRow {
  /** The same object for all rows of one shape. */
  readonly shape: RowShape;
  readonly cells: readonly unknown[];
  /** The row as it was given, when a cell is SQL, which becomes part of the text. */
  readonly withSql: Readonly<Row> | undefined;
}

interface KeyedColumn {
  readonly key: string;
  readonly column: Column;
}

interface DecodedColumn extends KeyedColumn {
  readonly isMoment: boolean;
}

/** A program whose rows keep getting new shapes starts over. */
const MOST_STEPS = 10_000;

/** After some columns: what is known of shapes that begin so. */
interface ShapeStep extends RowShape {
  with?: ShapeStep;
  without?: ShapeStep;
}

/** Values on their way from and to the engine, by the columns' own mapping. */
export class RowCodec {
  readonly #facts: TableFacts;
  readonly #insertable: readonly KeyedColumn[];
  /** Which shapes there were, column by column: a row finds its own shape without any allocation. */
  #shapes: ShapeStep = { keys: [] };
  #steps = 0;
  /** Most columns take what the engine gives as it is. */
  readonly #decoded: readonly DecodedColumn[];

  constructor(facts: TableFacts) {
    this.#facts = facts;
    const columns = Object.entries(facts.columns).map(([key, column]) => ({ key, column }));
    this.#insertable = columns.filter(
      ({ column }) => (column.generated?.type ?? 'byDefault') === 'byDefault',
    );
    this.#decoded = columns
      .filter(({ column }) => hasDecoding(column))
      .map((one) => ({ ...one, isMoment: isMomentAsText(one.column) }));
  }

  /** In place: the rows are the caller's alone. */
  decode(rows: readonly Row[]): readonly Row[] {
    if (this.#decoded.length === 0) return rows;
    for (const row of rows) {
      for (const { key, column, isMoment } of this.#decoded) {
        const value = row[key];
        if (value !== null) row[key] = column.mapFromDriverValue(isMoment ? momentText(value) : value);
      }
    }
    return rows;
  }

  /** With the defaults that the program computes; those of the database are left to it. */
  encode(row: Row): EncodedRow {
    const cells: unknown[] = [];
    let step = this.#firstStep();
    let hasSql = false;
    let given = 0;
    for (const { key, column } of this.#insertable) {
      const own = row[key];
      if (own !== undefined) given += 1;
      const value = own === undefined ? computedDefault(column) : own;
      if (value === undefined) {
        step = step.without ??= this.#newStep(step.keys);
        continue;
      }
      step = step.with ??= this.#newStep([...step.keys, key]);
      const cell = isSql(value) ? value : encoded(column, value);
      hasSql ||= isSql(cell);
      cells.push(cell);
    }
    this.#assertKnown(row, given);
    return { shape: step, cells, withSql: hasSql ? row : undefined };
  }

  #firstStep(): ShapeStep {
    if (this.#steps < MOST_STEPS) return this.#shapes;
    this.#steps = 0;
    this.#shapes = { keys: [] };
    return this.#shapes;
  }

  #newStep(keys: readonly string[]): ShapeStep {
    this.#steps += 1;
    return { keys };
  }

  #assertKnown(row: Row, given: number): void {
    const keys = Object.keys(row);
    if (keys.length === given) return;
    const isKnown = (key: string): boolean => this.#insertable.some((one) => one.key === key);
    const alien = keys.find((key) => row[key] !== undefined && !isKnown(key));
    if (alien === undefined) return;
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
  if (isReadAsJson(column)) return false;
  // oxlint-disable-next-line unbound-method -- compared, not called
  return column.mapFromDriverValue !== Column.prototype.mapFromDriverValue;
}

/** As drizzle does: `$defaultFn`, and `$onUpdateFn` where the column has no default of another kind. */
function computedDefault(column: Column): unknown {
  if (column.defaultFn !== undefined) return isDeletionMark(column) ? undefined : column.defaultFn();
  return column.onUpdateFn !== undefined && !column.hasDefault ? column.onUpdateFn() : undefined;
}
