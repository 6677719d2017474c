import type { BatchItemResult, Shape } from '../driver/index.ts';
import { Status, type Cursor } from './protocol.ts';
import type { RowBuilder } from './row-builder.ts';

/** The columns of one statement on one connection, as its last result told them. */
export interface KnownColumns {
  build: RowBuilder | undefined;
}

export interface DecodedRows {
  readonly values: readonly unknown[];
  readonly width: number;
  readonly micros: number;
}

type CreateBuilder = (columns: readonly string[]) => RowBuilder;

/** Reads what `encodeRows` wrote, from its status field on. */
export function decodeRows(cursor: Cursor, status: number, known: KnownColumns, create: CreateBuilder): DecodedRows {
  const columns = cursor.next<readonly string[] | null>();
  if (columns !== null) known.build = create(columns);
  const width = cursor.next<number>();
  const micros = cursor.next<number>();
  if (status === Status.rowsAsJson) return { values: JSON.parse(cursor.next<string>()) as unknown[], width, micros };
  return { values: cursor.take(cursor.next<number>()), width, micros };
}

/** The rows in the shape that the caller asked for. */
export function shapeRows(shape: Shape, { values, width }: DecodedRows, build: RowBuilder | undefined): unknown {
  if (shape === 'value') return values[0];
  if (shape === 'get') return values.length === 0 ? undefined : build!(values, 0);
  return buildRows(values, width, build);
}

export function buildRows(
  values: readonly unknown[],
  width: number,
  build: RowBuilder | undefined,
): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = [];
  for (let at = 0; at < values.length; at += width) rows.push(build!(values, at));
  return rows;
}

/** Reads what `replyBatch` wrote, from its count on. */
export function decodeBatch(
  cursor: Cursor,
  knownColumns: (statementId: number) => KnownColumns,
  create: CreateBuilder,
): BatchItemResult[] {
  const items: BatchItemResult[] = [];
  for (let left = cursor.next<number>(); left > 0; left -= 1) {
    const known = knownColumns(cursor.next<number>());
    const rowsAffected = cursor.next<number>();
    const lastInsertId = cursor.next<number | bigint | null>();
    cursor.next<number>(); // the sequence number of the rows' own reply
    const { values, width } = decodeRows(cursor, cursor.next<number>(), known, create);
    const rows = width === 0 ? [] : buildRows(values, width, known.build);
    items.push(lastInsertId === null ? { rowsAffected, rows } : { rowsAffected, lastInsertId, rows });
  }
  return items;
}
