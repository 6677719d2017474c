import { runInRootContext } from '../async/index.ts';
import { TimeoutError } from '../errors/index.ts';
import type { Statement } from '../driver/index.ts';
import {
  createEngineCall,
  startCall,
  type CallRequest,
  type Chunk,
  type PendingCall,
} from './pending-call.ts';
import type { KnownColumns } from './result-decoding.ts';
import type { WorkerConnection } from './worker-connection.ts';

/** Rows of one chunk at most. Two chunks exist at once: one with the consumer, one on its way. */
const CHUNK_ROWS = 256;

interface RowStreamOptions {
  readonly worker: WorkerConnection;
  readonly statement: Statement;
  /** Makes a call of this stream. Its limits begin now: a long export is not a stuck one. */
  readonly describe: (request: CallRequest) => PendingCall;
  /** How long the consumer may leave a chunk untouched; 0 = no limit. */
  readonly idleTimeoutMs: number;
  /** Called once, when the stream no longer needs its connection. */
  readonly onEnd?: (() => void) | undefined;
}

/**
 * The rows of a statement, chunk by chunk. The next chunk is asked for when the consumer takes one, so the
 * worker is one chunk ahead and never more. The cursor of a consumer that silently stops reading is closed
 * after the idle timeout, since it pins the write-ahead log; if the consumer comes back, it is told so.
 */
export class RowStream implements AsyncIterableIterator<Record<string, unknown>[]> {
  readonly #options: RowStreamOptions;
  readonly #columns: KnownColumns = { shape: undefined };
  /** The call that opened the cursor; its number is the cursor's. */
  #opening: PendingCall | undefined;
  #next: Promise<Chunk> | undefined;
  #ended = false;
  #failure: Error | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: RowStreamOptions) {
    this.#options = options;
  }

  async next(): Promise<IteratorResult<Record<string, unknown>[]>> {
    clearTimeout(this.#idleTimer);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) return { done: true, value: undefined };
    try {
      const chunk = await this.#take();
      if (!chunk.hasMore) this.#end();
      else if (!this.#ended) this.#watchIdle();
      if (chunk.rows.length === 0 && this.#ended) return { done: true, value: undefined };
      return { done: false, value: chunk.rows };
    } catch (error) {
      // An aborted chunk leaves the cursor open, and its snapshot with it. Not awaited: what the next holder
      // of the connection sends comes behind it.
      void this.#closeCursor();
      this.#end();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Record<string, unknown>[]>> {
    await this.#close();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Record<string, unknown>[]>> {
    await this.#close();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #take(): Promise<Chunk> {
    const chunk = await (this.#next ?? this.#open());
    this.#next = undefined;
    if (chunk.hasMore && !this.#ended) this.#fetchAhead();
    return chunk;
  }

  /** Opens the cursor; its first chunk comes with the answer. */
  #open(): Promise<Chunk> {
    const { statement, describe } = this.#options;
    const columns = this.#columns;
    return this.#start(
      describe({ kind: 'open-cursor', statement, chunkRows: CHUNK_ROWS, columns }),
      (call) => {
        this.#opening = call;
      },
    );
  }

  #fetchAhead(): void {
    const request = { kind: 'fetch', cursorId: this.#opening!.seq, columns: this.#columns } as const;
    this.#next = this.#start(this.#options.describe(request));
    // It may fail before the consumer asks for it; the error waits for the consumer.
    this.#next.catch(() => undefined);
  }

  #start(created: PendingCall, onSent?: (call: PendingCall) => void): Promise<Chunk> {
    return startCall(created, (call) => {
      this.#options.worker.send(call);
      onSent?.(call);
    });
  }

  async #close(): Promise<void> {
    clearTimeout(this.#idleTimer);
    if (this.#ended) return;
    this.#ended = true;
    // The chunk on its way comes first; nobody would get its error.
    await this.#next?.catch(() => undefined);
    await this.#closeCursor();
    this.#options.onEnd?.();
  }

  async #closeCursor(): Promise<void> {
    const cursorId = this.#opening?.seq;
    const { worker } = this.#options;
    if (cursorId === undefined || !worker.usable) return;
    const closing = createEngineCall({ kind: 'close-cursor', cursorId }, 'close cursor');
    // If the connection is lost in the meantime, the cursor is gone with it.
    await startCall(closing, (call) => worker.send(call)).catch(() => undefined);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onEnd?.();
  }

  #watchIdle(): void {
    const { idleTimeoutMs } = this.#options;
    if (idleTimeoutMs === 0) return;
    this.#idleTimer = runInRootContext(() => setTimeout(() => this.#endIdle(idleTimeoutMs), idleTimeoutMs));
    this.#idleTimer.unref();
  }

  #endIdle(timeoutMs: number): void {
    const message =
      `The stream was closed: its consumer took no row for ${timeoutMs} ms, and a stream pins its ` +
      'snapshot.';
    // First of all: a consumer that comes back while the cursor closes must not take this for the end of the
    // rows.
    this.#failure = new TimeoutError(message, { timeoutMs });
    void this.#close();
  }
}
