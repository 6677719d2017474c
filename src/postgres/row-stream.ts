import { runInRootContext } from '../async/index.ts';
import type { CallOptions, Statement } from '../driver/index.ts';
import { TimeoutError } from '../errors/index.ts';
import type { PostgresConnection } from './connection.ts';
import type { Chunk } from './pending-call.ts';
import type { RowShape } from './row-shape.ts';

/** Rows of one chunk at most. Two chunks exist at once: one with the consumer, one on its way. */
const CHUNK_ROWS = 256;

interface RowStreamOptions {
  readonly connection: PostgresConnection;
  readonly statement: Statement;
  readonly options: CallOptions;
  /** True outside a transaction: the stream's cursor lives in one of its own. */
  readonly ownsTransaction: boolean;
  /** How long the consumer may leave a chunk untouched; 0 = no limit. */
  readonly idleTimeoutMs: number;
  /** Called once, when the stream no longer needs its connection. */
  readonly onEnd?: (() => void) | undefined;
}

/** Each stream of a connection has a portal of its own; the numbers are shared, which does no harm. */
let lastPortal = 0;

/**
 * The rows of a statement, chunk by chunk. The next chunk is asked for when the consumer takes one, so the
 * server is one chunk ahead and never more. The transaction of a consumer that silently stops reading is
 * ended after the idle timeout, since the server keeps its snapshot for it; if the consumer comes back, it is
 * told so.
 */
export class RowStream implements AsyncIterableIterator<Record<string, unknown>[]> {
  readonly #options: RowStreamOptions;
  readonly #portal: string;
  #shape: RowShape | undefined;
  #next: Promise<Chunk> | undefined;
  #isOpen = false;
  #ended: Promise<void> | undefined;
  #failure: Error | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: RowStreamOptions) {
    this.#options = options;
    lastPortal += 1;
    this.#portal = `millpond_portal_${lastPortal}`;
  }

  async next(): Promise<IteratorResult<Record<string, unknown>[]>> {
    clearTimeout(this.#idleTimer);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended !== undefined) return { done: true, value: undefined };
    let chunk: Chunk;
    try {
      chunk = await this.#take();
    } catch (error) {
      await this.#end('rollback').catch(() => undefined);
      throw error;
    }
    if (!chunk.hasMore) await this.#end('commit');
    else if (this.#ended === undefined) this.#watchIdle();
    if (chunk.rows.length === 0 && !chunk.hasMore) return { done: true, value: undefined };
    return { done: false, value: chunk.rows };
  }

  async return(): Promise<IteratorResult<Record<string, unknown>[]>> {
    await this.#end('commit');
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Record<string, unknown>[]>> {
    await this.#end('commit');
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #take(): Promise<Chunk> {
    const chunk = await (this.#next ?? this.#open());
    this.#next = undefined;
    this.#shape = chunk.shape;
    if (chunk.hasMore && this.#ended === undefined) this.#fetchAhead();
    return chunk;
  }

  /** Opens the cursor; its first chunk comes with the answer. */
  #open(): Promise<Chunk> {
    const { connection, statement, options, ownsTransaction } = this.#options;
    const call = connection.describe('all', statement, options);
    if (ownsTransaction) {
      // If it fails, the statement that goes with it is refused, and says why. The limits are those of the
      // consumer and of each chunk.
      connection.begin({ readOnly: false, timeoutMs: 0 }).catch(() => undefined);
    }
    this.#isOpen = true;
    return connection.startChunk(call, { name: this.#portal, maxRows: CHUNK_ROWS, shape: undefined });
  }

  #fetchAhead(): void {
    const { connection, statement, options } = this.#options;
    const call = connection.describeFetch(statement, options);
    this.#next = connection.startChunk(call, {
      name: this.#portal,
      maxRows: CHUNK_ROWS,
      shape: this.#shape,
    });
    // It may fail before the consumer asks for it; the error waits for the consumer.
    this.#next.catch(() => undefined);
  }

  /** What the statement has written lasts, also when not all rows of it were taken. */
  #end(how: 'commit' | 'rollback'): Promise<void> {
    this.#ended ??= this.#close(how).finally(() => this.#options.onEnd?.());
    return this.#ended;
  }

  async #close(how: 'commit' | 'rollback'): Promise<void> {
    clearTimeout(this.#idleTimer);
    if (!this.#isOpen) return;
    const { connection, ownsTransaction } = this.#options;
    // The chunk on its way comes first; nobody would get its error.
    const failed = await this.#next?.then(
      () => false,
      () => true,
    );
    if (!ownsTransaction) {
      if (how === 'commit' && failed !== true) await connection.closePortal(this.#portal);
    } else if (how === 'commit' && failed !== true) await connection.commit();
    else await connection.rollback().catch(() => undefined);
  }

  #watchIdle(): void {
    const { idleTimeoutMs } = this.#options;
    if (idleTimeoutMs === 0) return;
    this.#idleTimer = runInRootContext(() => setTimeout(() => this.#endIdle(idleTimeoutMs), idleTimeoutMs));
    this.#idleTimer.unref();
  }

  #endIdle(timeoutMs: number): void {
    // First of all: a consumer that comes back while the cursor closes must not take this for the end of the
    // rows.
    this.#failure = new TimeoutError(
      `The stream was closed: its consumer took no row for ${timeoutMs} ms, and the server keeps the ` +
        'snapshot of a stream.',
      { timeoutMs },
    );
    void this.#end('rollback').catch(() => undefined);
  }
}
