import type { CallOptions } from '../driver/index.ts';
import type { Flight } from './flights.ts';
import type { Scope } from './scope.ts';

export interface ScopeStreamParts<Chunk> {
  readonly text: string;
  readonly options: CallOptions;
  /** Begins it on the transaction's connection. */
  open(options: CallOptions): AsyncIterableIterator<Chunk>;
}

/**
 * Rows, or other pieces, of a scope. It begins with the first `next`, and is under way until it has ended or
 * was returned.
 */
export class ScopeStream<Chunk> implements AsyncIterableIterator<Chunk> {
  readonly #scope: Scope;
  readonly #parts: ScopeStreamParts<Chunk>;
  #flight: Flight | undefined;
  #rows: AsyncIterableIterator<Chunk> | undefined;
  #ended = false;
  #isCutOff = false;

  constructor(scope: Scope, parts: ScopeStreamParts<Chunk>) {
    this.#scope = scope;
    this.#parts = parts;
  }

  async next(): Promise<IteratorResult<Chunk, undefined>> {
    if (this.#ended && !this.#isCutOff) return { done: true, value: undefined };
    this.#scope.assertActive();
    try {
      const step = await (this.#rows === undefined ? this.#begin() : this.#rows.next());
      // Also where it seems to have ended: rows are missing when it was cut off by the fence.
      this.#scope.assertActive();
      if (step.done !== true) return step;
      this.#end();
      return { done: true, value: undefined };
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Chunk, undefined>> {
    this.#end();
    await this.#rows?.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #begin(): Promise<IteratorResult<Chunk>> {
    const { transaction, flights } = this.#scope;
    const { text, options } = this.#parts;
    const flight: Flight = {
      kind: 'statement',
      text,
      name: options.name,
      site: transaction.environment.sites.locate(text),
      // A cursor left open would keep its connection busy after the transaction.
      close: () => {
        this.#isCutOff = true;
        void this.return().catch(() => {});
      },
    };
    this.#flight = flight;
    const first = this.#scope.inTurn(options, (limited) => {
      // It was given up while it waited for its turn: a cursor opened now would never be closed.
      if (this.#ended) return Promise.resolve<IteratorResult<Chunk>>({ done: true, value: undefined });
      this.#scope.noteSent(flight);
      this.#rows = this.#parts.open(limited);
      return this.#rows.next();
    });
    flights.add(flight);
    return first;
  }

  #end(): void {
    this.#ended = true;
    if (this.#flight !== undefined) this.#scope.noteEnded(this.#flight);
    this.#flight = undefined;
  }
}
