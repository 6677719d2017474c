import { Column, is } from 'drizzle-orm';
import * as drizzleUtilities from 'drizzle-orm/utils';
import { isReadAsJson } from './column-roles.ts';

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
}

/** Of a query with joins: whether the table's rows must be there. */
export type JoinsNotNullable = Record<string, boolean>;

type MapResultRow = (
  fields: readonly SelectedField[],
  row: readonly unknown[],
  joinsNotNullable: JoinsNotNullable | undefined,
) => unknown;

/**
 * Drizzle's own mapping of a row of values, which all its drivers use; it is exported, and left out of the
 * types.
 */
const { mapResultRow } = drizzleUtilities as unknown as { readonly mapResultRow: MapResultRow };

/** Rows of values in column order, as drizzle's selection wants them. */
export function mapRows(
  fields: readonly SelectedField[],
  rows: readonly unknown[][],
  joinsNotNullable: JoinsNotNullable | undefined,
): unknown[] {
  const columns = plainColumns(fields);
  if (columns !== undefined) return rows.map((row) => plainRow(columns, row));
  const texts = jsonPlaces(fields);
  return rows.map((row) => mapResultRow(fields, asJsonTexts(row, texts), joinsNotNullable));
}

/** Set when every field is a column in the row itself, as in reads of one table. */
function plainColumns(fields: readonly SelectedField[]): PlainColumn[] | undefined {
  const columns: PlainColumn[] = [];
  for (const { path, field } of fields) {
    if (path.length !== 1 || !is(field, Column)) return undefined;
    columns.push({ key: path[0]!, column: field, isRead: isReadAsJson(field) });
  }
  return columns;
}

function plainRow(columns: readonly PlainColumn[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index += 1) {
    const { key, column, isRead } = columns[index]!;
    const value = values[index];
    row[key] = value === null || isRead ? value : column.mapFromDriverValue(value);
  }
  return row;
}

function jsonPlaces(fields: readonly SelectedField[]): number[] {
  return fields.flatMap(({ field }, index) => (is(field, Column) && isReadAsJson(field) ? [index] : []));
}

/** Drizzle reads a string as JSON: it gets the text of the one that was read. */
function asJsonTexts(row: unknown[], places: readonly number[]): unknown[] {
  for (const place of places) {
    if (typeof row[place] === 'string') row[place] = JSON.stringify(row[place]);
  }
  return row;
}
