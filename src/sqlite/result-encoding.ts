import { Status, type Wire } from './protocol.ts';

/** From this many values on, one JSON text costs the main thread less than the values cloned one by one. */
const JSON_FROM_VALUES = 24;

export interface Rows {
  /** Sent when the receiver does not know them yet. */
  readonly columns: readonly string[] | null;
  readonly width: number;
  readonly rows: readonly (readonly unknown[])[];
  /** How long SQLite took, in microseconds. */
  readonly micros: number;
}

/**
 * Writes rows in the encoding that is cheapest to read. JSON holds what SQLite gives but for bigints, blobs and
 * infinities; results with one of those are cloned as they are.
 */
export function encodeRows(wire: Wire, seq: number, { columns, width, rows, micros }: Rows): void {
  const values = rows.length === 1 ? rows[0]! : flatten(rows);
  if (values.length >= JSON_FROM_VALUES && values.every(isJsonSafe)) {
    wire.push(seq, Status.rowsAsJson, columns, width, micros, JSON.stringify(values));
    return;
  }
  wire.push(seq, Status.rows, columns, width, micros, values.length);
  for (let index = 0; index < values.length; index += 1) wire.push(values[index]);
}

function flatten(rows: readonly (readonly unknown[])[]): unknown[] {
  const values: unknown[] = [];
  for (const row of rows) {
    for (let index = 0; index < row.length; index += 1) values.push(row[index]);
  }
  return values;
}

function isJsonSafe(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' || value === null;
}

/**
 * Rows as the UTF-8 bytes of a JSON array of objects. What JSON cannot hold is written as text: bigints as their
 * digits, blobs in base64, infinities by name. Names and values are written piece by piece: building objects first
 * only to serialize them doubles the time.
 */
export function encodeJsonBody(columns: readonly string[], rows: readonly (readonly unknown[])[]): Uint8Array {
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
