import type { Failure } from './failure.ts';
import type { Chunk, PendingCall } from './pending-call.ts';
import { Status, type Cursor } from './protocol.ts';
import { buildRows, decodeBatch, decodeRows, shapeRows } from './result-decoding.ts';
import type { RowShape } from './row-builder.ts';

/** What a worker answered to one call. */
export interface Answer {
  readonly value: unknown;
  /** Rows returned, or affected by a write. */
  readonly rows: number;
  /** How long SQLite took, where the worker tells. */
  readonly micros: number;
  readonly failure: Failure | undefined;
}

type FindShape = (columns: readonly string[]) => RowShape;

/** Reads the answer to `call`, from its status field on. */
export function readAnswer(cursor: Cursor, call: PendingCall, find: FindShape): Answer {
  const status = cursor.next<number>();
  switch (status) {
    case Status.run:
      return readRun(cursor);
    case Status.rows:
    case Status.columnar:
      return readRows(cursor, call, status, find);
    case Status.json: {
      const value = cursor.next<Uint8Array>();
      return { value, rows: cursor.next<number>(), micros: cursor.next<number>(), failure: undefined };
    }
    case Status.batch: {
      const known = call.batchColumns!;
      const items = decodeBatch(cursor, (id) => known.get(id)!, find);
      return { value: items, rows: items.length, micros: 0, failure: undefined };
    }
    case Status.chunk:
      return readChunk(cursor, call, find);
    case Status.error: {
      const failure = {
        code: cursor.next<number>(),
        message: cursor.next<string>(),
        part: cursor.next<number | undefined>(),
      };
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

function readRows(cursor: Cursor, call: PendingCall, status: number, find: FindShape): Answer {
  const columns = call.columns!;
  const rows = decodeRows(cursor, status, columns, find);
  const { shape } = call.request as PendingCall['request'] & { kind: 'statement' };
  // Nobody waits for the rows of a call that has been answered already.
  const value = call.settled ? undefined : shapeRows(shape, rows, columns.shape);
  return { value, rows: rows.count, micros: rows.micros, failure: undefined };
}

function readChunk(cursor: Cursor, call: PendingCall, find: FindShape): Answer {
  const hasMore = cursor.next<boolean>();
  cursor.next<number>(); // the sequence number of the rows' own reply
  const columns = call.columns!;
  const decoded = decodeRows(cursor, cursor.next<number>(), columns, find);
  const rows = buildRows(decoded, columns.shape);
  return { value: { rows, hasMore } satisfies Chunk, rows: rows.length, micros: 0, failure: undefined };
}
