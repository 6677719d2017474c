import { Column, is } from 'drizzle-orm';
import * as drizzleUtilities from 'drizzle-orm/utils';
import { isMomentAsText, isReadAsJson, momentText } from './column-roles.ts';

/** A selected column or expression, and where its value goes in the row's object. */
interface SelectedField {
  readonly path: readonly string[];
  readonly field: unknown;
}

interface PlainColumn {
  readonly key: string;
  readonly column: Column;
  /** Not to be mapped. */
  readonly isRead: boolean;
  readonly isMoment: boolean;
}

type Adapt = (value: unknown) => unknown;

/** Of a query with joins: whether the table's rows must be there. */
export type JoinsNotNullable = Record<string, boolean>;

type MapResultRow = (
  fields: readonly SelectedField[],
  row: readonly unknown[],
  joinsNotNullable: JoinsNotNullable | undefined,
) => unknown;

/**
 * Drizzle's own mapping of a row of values, which all its drivers use; it is exported, but left out of the
 * types.
 */
const { mapResultRow } = drizzleUtilities as unknown as { readonly mapResultRow: MapResultRow };

/** How the rows of one selection become objects; made once for all calls of a prepared one. */
export class RowMapping {
  readonly #fields: readonly SelectedField[];
  readonly #columns: readonly PlainColumn[] | undefined;
  /** What to turn a value into before drizzle maps it, by its place. */
  readonly #adapted: ReadonlyMap<number, Adapt>;

  constructor(fields: readonly SelectedField[]) {
    this.#fields = fields;
    this.#columns = plainColumns(fields);
    this.#adapted = this.#columns === undefined ? adaptedPlaces(fields) : new Map();
  }

  /**
   * True where the engine's own row object has all values, in order: the columns are one table's, each named
   * once, and no name is a number, which objects put first.
   */
  get takesObjects(): boolean {
    const columns = this.#columns?.map(({ column }) => column);
    if (columns === undefined) return false;
    const names = new Set(columns.map(({ name }) => name.toLowerCase()));
    const isOneTable = columns.every(({ table }) => table === columns[0]!.table);
    return isOneTable && names.size === columns.length && ![...names].some((name) => /^\d/.test(name));
  }

  /** Rows of values in column order, as drizzle's selection wants them. */
  map(rows: readonly unknown[][], joinsNotNullable: JoinsNotNullable | undefined): unknown[] {
    const columns = this.#columns;
    if (columns !== undefined) return rows.map((row) => plainRow(columns, row));
    return rows.map((row) => mapResultRow(this.#fields, adapted(row, this.#adapted), joinsNotNullable));
  }
}

/** Set when every field is a column in the row itself, as in reads of one table. */
function plainColumns(fields: readonly SelectedField[]): PlainColumn[] | undefined {
  const columns: PlainColumn[] = [];
  for (const { path, field } of fields) {
    if (path.length !== 1 || !is(field, Column)) return undefined;
    const [isRead, isMoment] = [isReadAsJson(field), isMomentAsText(field)];
    columns.push({ key: path[0]!, column: field, isRead, isMoment });
  }
  return columns;
}

function plainRow(columns: readonly PlainColumn[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index += 1) {
    const { key, column, isRead, isMoment } = columns[index]!;
    const value = values[index];
    if (value === null || isRead) row[key] = value;
    else row[key] = column.mapFromDriverValue(isMoment ? momentText(value) : value);
  }
  return row;
}

function adaptedPlaces(fields: readonly SelectedField[]): Map<number, Adapt> {
  const places = new Map<number, Adapt>();
  for (const [index, { field }] of fields.entries()) {
    if (!is(field, Column)) continue;
    if (isReadAsJson(field)) places.set(index, jsonText);
    else if (isMomentAsText(field)) places.set(index, momentText);
  }
  return places;
}

function adapted(row: unknown[], places: ReadonlyMap<number, Adapt>): unknown[] {
  for (const [place, adapt] of places) row[place] = adapt(row[place]);
  return row;
}

/** Drizzle reads a string as JSON: it gets the text of the one that was read. */
function jsonText(value: unknown): unknown {
  return typeof value === 'string' ? JSON.stringify(value) : value;
}
