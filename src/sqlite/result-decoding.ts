import type { BatchItemResult, Shape } from '../driver/index.ts';
import { readColumnarArrays, type ColumnarResult } from './columnar.ts';
import { Status, type Cursor } from './protocol.ts';
import type { RowShape } from './row-builder.ts';

/** The columns of one statement on one connection, as its last result told them. */
export interface KnownColumns {
  shape: RowShape | undefined;
}

/** Rows as they came: values one after another, or by kind. */
export interface DecodedRows {
  readonly count: number;
  readonly micros: number;
  readonly content: readonly unknown[] | ColumnarResult;
  readonly width: number;
}

type FindShape = (columns: readonly string[]) => RowShape;

/** Reads what `encodeRows` wrote, from its status field on. */
export function decodeRows(
  cursor: Cursor,
  status: number,
  known: KnownColumns,
  find: FindShape,
): DecodedRows {
  const columns = cursor.next<readonly string[] | null>();
  if (columns !== null) known.shape = find(columns);
  const width = cursor.next<number>();
  const micros = cursor.next<number>();
  if (status === Status.columnar) {
    const content = readColumnar(cursor);
    return { count: content.count, micros, content, width };
  }
  const content = cursor.take(cursor.next<number>());
  return { count: width === 0 ? 0 : content.length / width, micros, content, width };
}

/** The rows in the shape that the caller asked for. One row or one value never comes by kind. */
export function shapeRows(wanted: Shape, rows: DecodedRows, shape: RowShape | undefined): unknown {
  if (wanted === 'all') return buildRows(rows, shape);
  if (wanted === 'arrays') return toArrays(rows);
  const values = rows.content as readonly unknown[];
  if (wanted === 'value') return values[0];
  return rows.count === 0 ? undefined : shape!.build(values, 0);
}

export function buildRows(
  { content, width }: DecodedRows,
  shape: RowShape | undefined,
): Record<string, unknown>[] {
  if ('kinds' in content) return shape!.buildColumnar(content);
  const rows: Record<string, unknown>[] = [];
  for (let at = 0; at < content.length; at += width) rows.push(shape!.build(content, at));
  return rows;
}

function toArrays({ content, width }: DecodedRows): unknown[][] {
  if ('kinds' in content) return readColumnarArrays(content);
  const rows: unknown[][] = [];
  for (let at = 0; at < content.length; at += width) rows.push(content.slice(at, at + width));
  return rows;
}

/** Reads what `replyBatch` wrote, from its count on. */
export function decodeBatch(
  cursor: Cursor,
  knownColumns: (statementId: number) => KnownColumns,
  find: FindShape,
): BatchItemResult[] {
  const items: BatchItemResult[] = [];
  for (let left = cursor.next<number>(); left > 0; left -= 1) {
    const known = knownColumns(cursor.next<number>());
    const rowsAffected = cursor.next<number>();
    const lastInsertId = cursor.next<number | bigint | null>();
    cursor.next<number>(); // the sequence number of the rows' own reply
    const rows = buildRows(decodeRows(cursor, cursor.next<number>(), known, find), known.shape);
    items.push(lastInsertId === null ? { rowsAffected, rows } : { rowsAffected, lastInsertId, rows });
  }
  return items;
}

function readColumnar(cursor: Cursor): ColumnarResult {
  const kinds = cursor.next<string>();
  const count = cursor.next<number>();
  const from = cursor.next<number>();
  return { kinds, count, numbers: cursor.numbers, from, texts: cursor.take<string>(cursor.next<number>()) };
}
