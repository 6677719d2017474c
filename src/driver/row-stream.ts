/**
 * Rows out of chunks of rows, in the order asked for. Like an async generator it works on one request at a
 * time, but a row that is already here costs one promise. `start` is called by the first `next()`, and never
 * if the stream is closed before; if it throws, that `next()` rejects.
 */
export class RowStream<Row> implements AsyncIterableIterator<Row> {
  readonly #start: () => AsyncIterator<readonly Row[]>;
  #chunks: AsyncIterator<readonly Row[]> | undefined;
  #rows: readonly Row[] = [];
  #index = 0;
  #ended = false;
  /** Requests not yet answered. Unlimited, as each is a promise that the caller holds. */
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(start: () => AsyncIterator<readonly Row[]>) {
    this.#start = start;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Row, undefined>> {
    if (this.#waiting === 0 && this.#index < this.#rows.length) return Promise.resolve(this.#take());
    return this.#inTurn(() => this.#pull());
  }

  /** Closes the stream after the requests before it are answered. */
  return(value?: unknown): Promise<IteratorReturnResult<undefined>> {
    return this.#inTurn(async () => {
      await this.#close();
      // The type knows no value but undefined, as in a loop; a generator too passes through what it is given.
      return { done: true, value: value as undefined };
    });
  }

  /** Closes the stream and rejects with `error`. */
  throw(error?: unknown): Promise<IteratorReturnResult<undefined>> {
    return this.#inTurn(async () => {
      // The caller's error wins over a failure to close, which the engine's own side deals with.
      await this.#close().catch(() => undefined);
      throw error;
    });
  }

  /** Starts at once when nothing is before it, so that statements are sent in the order of the calls. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const answer = this.#waiting === 0 ? work() : this.#last.then(work);
    this.#waiting += 1;
    this.#last = answer.then(noMatter, noMatter);
    // Not `answer` itself: its rejection counts as handled by the line above, and must not go unnoticed.
    return answer.finally(() => {
      this.#waiting -= 1;
    });
  }

  #take(): IteratorYieldResult<Row> {
    return { done: false, value: this.#rows[this.#index++]! };
  }

  async #pull(): Promise<IteratorResult<Row, undefined>> {
    while (this.#index >= this.#rows.length) {
      if (this.#ended) return { done: true, value: undefined };
      await this.#nextChunk();
    }
    return this.#take();
  }

  async #nextChunk(): Promise<void> {
    try {
      this.#chunks ??= this.#start();
      const chunk = await this.#chunks.next();
      this.#rows = chunk.done === true ? [] : chunk.value;
      this.#ended = chunk.done === true;
    } catch (error) {
      // An iterator that has thrown has ended, and is not closed again.
      this.#rows = [];
      this.#ended = true;
      throw error;
    } finally {
      this.#index = 0;
    }
  }

  async #close(): Promise<void> {
    const isOpen = this.#chunks !== undefined && !this.#ended;
    this.#ended = true;
    this.#rows = [];
    if (isOpen) await this.#chunks?.return?.();
  }
}

/** The next request waits for the end of the one before, however it ended. */
function noMatter(): void {}
