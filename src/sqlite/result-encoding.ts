import { toColumnar } from './columnar.ts';
import { Status, type Reply } from './protocol.ts';

/** From this many values on, the columnar encoding costs less than the values cloned one by one. */
const COLUMNAR_FROM_VALUES = 24;

export interface Rows {
  /** Sent when the receiver does not know them yet. */
  readonly columns: readonly string[] | null;
  readonly width: number;
  readonly rows: readonly (readonly unknown[])[];
  /** How long SQLite took, in microseconds. */
  readonly micros: number;
}

/** Writes rows in the encoding that is cheapest to read; a single row always as its values. */
export function encodeRows(
  { wire, numbers }: Reply,
  seq: number,
  { columns, width, rows, micros }: Rows,
): void {
  const valueCount = rows.length * width;
  const isMany = rows.length > 1 && valueCount >= COLUMNAR_FROM_VALUES;
  const columnar = isMany ? toColumnar(rows, width, numbers) : undefined;
  if (columnar !== undefined) {
    const { kinds, count, from, texts } = columnar;
    wire.push(seq, Status.columnar, columns, width, micros, kinds, count, from, texts.length);
    for (const text of texts) wire.push(text);
    return;
  }
  wire.push(seq, Status.rows, columns, width, micros, valueCount);
  for (const row of rows) for (let index = 0; index < width; index += 1) wire.push(row[index]);
}

/**
 * Rows as the UTF-8 bytes of a JSON array of objects. What JSON cannot hold is written as text: bigints as
 * their digits, blobs in base64, infinities by name. Names and values are written piece by piece: building
 * objects first only to serialize them doubles the time.
 */
export function encodeJsonBody(
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
): Uint8Array {
  const keys = columns.map((name, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  const pieces: string[] = [];
  for (const row of rows) {
    let text = pieces.length === 0 ? '' : ',';
    for (let index = 0; index < keys.length; index += 1) text += keys[index]! + jsonValue(row[index]);
    pieces.push(`${text}}`);
  }
  return new TextEncoder().encode(`[${pieces.join('')}]`);
}

function jsonValue(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? String(value) : JSON.stringify(String(value));
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `"${value}"`;
    default:
      return value instanceof Uint8Array ? JSON.stringify(Buffer.from(value).toString('base64')) : 'null';
  }
}
