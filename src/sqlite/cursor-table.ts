import { Status, type Reply } from './protocol.ts';
import type { Bindable } from './parameters.ts';
import { withoutValues } from './redact.ts';
import { encodeRows } from './result-encoding.ts';
import { UsageError } from '../errors/index.ts';
import type { PreparedStatement, StatementStore } from './statement-store.ts';

/** Most open cursors of one connection; each pins its snapshot and a prepared statement. */
const MAX_CURSORS = 64;
/** A chunk ends here even if it could hold more rows. */
const CHUNK_MAX_MS = 5;

interface OpenCursor {
  readonly params: readonly Bindable[];
  readonly statement: PreparedStatement;
  readonly rows: Generator<unknown[]>;
  readonly chunkRows: number;
}

/**
 * Statements whose rows are fetched in chunks. The main thread asks for each chunk: that is the
 * back-pressure.
 */
export class CursorTable {
  readonly #store: StatementStore;
  readonly #open = new Map<number, OpenCursor>();

  constructor(store: StatementStore) {
    this.#store = store;
  }

  /** Opens a cursor known by `seq` and answers with its first chunk. */
  open(
    reply: Reply,
    seq: number,
    query: { text: string; params: readonly Bindable[]; chunkRows: number },
  ): void {
    if (this.#open.size >= MAX_CURSORS) {
      throw new UsageError(
        `${MAX_CURSORS} streams are open on this connection. End them, or read with all().`,
      );
    }
    const { text, params, chunkRows } = query;
    const statement = this.#store.prepareFresh(text);
    statement.assertDistinctColumns();
    // Rows that were handed out cannot be read again in another mode.
    statement.readBigIntsFromNow();
    this.#open.set(seq, { statement, params, rows: statement.iterate(params), chunkRows });
    this.#writeChunk(reply, { seq, cursorId: seq, isFirst: true });
  }

  fetch(reply: Reply, seq: number, cursorId: number): void {
    this.#writeChunk(reply, { seq, cursorId, isFirst: false });
  }

  /** @returns whether the cursor was open. */
  close(cursorId: number): boolean {
    this.#open.get(cursorId)?.rows.return(undefined);
    return this.#open.delete(cursorId);
  }

  closeAll(): void {
    for (const cursorId of this.#open.keys()) this.close(cursorId);
  }

  /** A chunk is a reply with rows; the field before the rows says whether more will come. */
  #writeChunk(
    reply: Reply,
    { seq, cursorId, isFirst }: { seq: number; cursorId: number; isFirst: boolean },
  ): void {
    const cursor = this.#open.get(cursorId);
    if (cursor === undefined)
      throw new UsageError('The stream was closed: its transaction or connection has ended.');
    const { rows, hasMore } = this.#take(cursorId, cursor);
    // Not before the first row: SQLite prepares the statement again where the schema has changed (ALTER TABLE
    // and `select *`).
    const { columns } = cursor.statement;
    reply.wire.push(seq, Status.chunk, hasMore);
    encodeRows(reply, seq, { columns: isFirst ? columns : null, width: columns.length, rows, micros: 0 });
  }

  /** The next rows. A cursor that has ended, or failed, is closed. */
  #take(cursorId: number, cursor: OpenCursor): { rows: unknown[][]; hasMore: boolean } {
    let hasMore = false;
    try {
      const { text } = cursor.statement;
      const chunk = withoutValues(text, cursor.params, () => takeChunk(cursor));
      cursor.statement.assertDistinctColumns();
      ({ hasMore } = chunk);
      return chunk;
    } finally {
      if (!hasMore) this.close(cursorId);
    }
  }
}

function takeChunk(cursor: OpenCursor): { rows: unknown[][]; hasMore: boolean } {
  const rows: unknown[][] = [];
  const endAt = performance.now() + CHUNK_MAX_MS;
  while (rows.length < cursor.chunkRows) {
    const next = cursor.rows.next();
    if (next.done === true) return { rows, hasMore: false };
    rows.push(next.value);
    if (rows.length % 16 === 0 && performance.now() > endAt) break;
  }
  return { rows, hasMore: true };
}
