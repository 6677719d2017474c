import type { Failure } from './failure.ts';
import type { Chunk, PendingCall } from './pending-call.ts';
import { Status, type Cursor } from './protocol.ts';
import { buildRows, decodeBatch, decodeRows, shapeRows } from './result-decoding.ts';
import type { RowBuilder } from './row-builder.ts';

/** What a worker answered to one call. */
export interface Answer {
  readonly value: unknown;
  /** Rows returned, or affected by a write. */
  readonly rows: number;
  /** How long SQLite took, where the worker tells. */
  readonly micros: number;
  readonly failure: Failure | undefined;
}

type CreateBuilder = (columns: readonly string[]) => RowBuilder;

/** Reads the answer to `call`, from its status field on. */
export function readAnswer(cursor: Cursor, call: PendingCall, create: CreateBuilder): Answer {
  const status = cursor.next<number>();
  switch (status) {
    case Status.run:
      return readRun(cursor);
    case Status.rows:
    case Status.rowsAsJson:
      return readRows(cursor, call, status, create);
    case Status.json: {
      const value = cursor.next<Uint8Array>();
      return { value, rows: cursor.next<number>(), micros: cursor.next<number>(), failure: undefined };
    }
    case Status.batch: {
      const known = call.batchColumns!;
      const items = decodeBatch(cursor, (id) => known.get(id)!, create);
      return { value: items, rows: items.length, micros: 0, failure: undefined };
    }
    case Status.chunk:
      return readChunk(cursor, call, create);
    case Status.error: {
      const failure = { code: cursor.next<number>(), message: cursor.next<string>() };
      return { value: undefined, rows: 0, micros: 0, failure };
    }
    default:
      return { value: cursor.next(), rows: 0, micros: 0, failure: undefined };
  }
}

function readRun(cursor: Cursor): Answer {
  const rowsAffected = cursor.next<number>();
  const lastInsertId = cursor.next<number | bigint | null>();
  const micros = cursor.next<number>();
  const value = lastInsertId === null ? { rowsAffected } : { rowsAffected, lastInsertId };
  return { value, rows: rowsAffected, micros, failure: undefined };
}

function readRows(cursor: Cursor, call: PendingCall, status: number, create: CreateBuilder): Answer {
  const columns = call.columns!;
  const decoded = decodeRows(cursor, status, columns, create);
  const rows = decoded.width === 0 ? 0 : decoded.values.length / decoded.width;
  const { shape } = call.request as PendingCall['request'] & { kind: 'statement' };
  return { value: shapeRows(shape, decoded, columns.build), rows, micros: decoded.micros, failure: undefined };
}

function readChunk(cursor: Cursor, call: PendingCall, create: CreateBuilder): Answer {
  const hasMore = cursor.next<boolean>();
  cursor.next<number>(); // the sequence number of the rows' own reply
  const columns = call.columns!;
  const { values, width } = decodeRows(cursor, cursor.next<number>(), columns, create);
  const rows = buildRows(values, width, columns.build);
  return { value: { rows, hasMore } satisfies Chunk, rows: rows.length, micros: 0, failure: undefined };
}
