import * as drizzleUtilities from 'drizzle-orm/utils';

/** A selected column or expression, and where its value goes in the row's object. */
interface SelectedField {
  readonly path: readonly string[];
  readonly field: unknown;
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
  return rows.map((row) => mapResultRow(fields, row, joinsNotNullable));
}
