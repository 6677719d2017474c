import { Column, is } from 'drizzle-orm';
import * as drizzleUtilities from 'drizzle-orm/utils';

/** A selected column or expression, and where its value goes in the row's object. */
interface SelectedField {
  readonly path: readonly string[];
  readonly field: unknown;
}

interface PlainColumn {
  readonly key: string;
  readonly column: Column;
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
  if (columns === undefined) return rows.map((row) => mapResultRow(fields, row, joinsNotNullable));
  return rows.map((row) => plainRow(columns, row));
}

/** Set when every field is a column in the row itself, as in reads of one table. */
function plainColumns(fields: readonly SelectedField[]): PlainColumn[] | undefined {
  const columns: PlainColumn[] = [];
  for (const { path, field } of fields) {
    if (path.length !== 1 || !is(field, Column)) return undefined;
    columns.push({ key: path[0]!, column: field });
  }
  return columns;
}

function plainRow(columns: readonly PlainColumn[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < columns.length; index += 1) {
    const { key, column } = columns[index]!;
    const value = values[index];
    row[key] = value === null ? null : column.mapFromDriverValue(value);
  }
  return row;
}
