import { copyFailure, type CopyRun } from './copy-in.ts';
import { CopyExchange, type CopyEnd } from './copy-exchange.ts';
import { CopyWatch } from './copy-watch.ts';
import type { PostgresLink } from './link.ts';
import { connectionLostError } from './translate-failure.ts';

/** Bytes that wait for the consumer; the server has to wait when there are more. */
const HIGH_WATER_BYTES = 262_144;

/**
 * What a COPY gives, in pieces, no faster than they are taken. Ending the loop early stops the server; the
 * iterator's `return` resolves when the connection is free again.
 */
export class CopyOutput implements AsyncIterableIterator<Uint8Array> {
  readonly #link: PostgresLink;
  readonly #run: CopyRun;
  readonly #exchange: CopyExchange;
  readonly #watch: CopyWatch;
  readonly #ended = Promise.withResolvers<void>();
  #state: 'unsent' | 'open' | 'ended' = 'unsent';
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #isPaused = false;
  /** Why it is to end early; the first reason stands. */
  #reason: { readonly error: unknown } | undefined;
  #end: CopyEnd | undefined;
  #rows = 0;
  #wake: () => void = () => {};

  constructor(link: PostgresLink, run: CopyRun) {
    this.#link = link;
    this.#run = run;
    this.#watch = new CopyWatch(run.limits, (error) => this.#giveUp(error));
    this.#exchange = new CopyExchange({
      text: run.text,
      direction: 'out',
      lifted: run.lifted,
      refusal: run.refusal,
      begun: () => {},
      data: (bytes) => this.#take(bytes),
      ended: (end) => this.#finish(end),
    });
  }

  /** The server's count, once all rows have come. */
  get rows(): number {
    return this.#rows;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#start();
    while (this.#pieceBytes === 0 && this.#state !== 'ended' && this.#reason === undefined) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#reason !== undefined) await this.#ended.promise;
    const error = this.#takeError();
    if (error !== undefined) throw error.error;
    if (this.#pieceBytes === 0) return { done: true, value: undefined };
    this.#watch.progress();
    return { done: false, value: this.#takePieces() };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#state === 'unsent') this.#state = 'ended';
    if (this.#state === 'open') {
      this.#giveUp(undefined);
      await this.#ended.promise;
    }
    this.#drop();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #start(): void {
    if (this.#state !== 'unsent') return;
    this.#state = 'open';
    this.#watch.start();
    if (this.#reason === undefined) this.#link.send(this.#exchange);
    else this.#finish({ rows: undefined, failure: undefined, fault: undefined, loss: undefined });
  }

  #take(bytes: Buffer): void {
    // It was given up: what still comes is discarded, until the end comes.
    if (this.#reason !== undefined) return;
    this.#pieces.push(Uint8Array.from(bytes));
    this.#pieceBytes += bytes.length;
    this.#watch.progress();
    if (this.#pieceBytes >= HIGH_WATER_BYTES && !this.#isPaused) {
      this.#isPaused = true;
      this.#link.pause();
    }
    this.#wake();
  }

  #takePieces(): Uint8Array {
    const value = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#drop();
    return value;
  }

  #drop(): void {
    this.#pieces = [];
    this.#pieceBytes = 0;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#link.resume();
  }

  #giveUp(error: unknown): void {
    if (this.#reason !== undefined || this.#state === 'ended') return;
    this.#reason = { error };
    this.#drop();
    if (this.#link.withdraw(this.#exchange)) {
      this.#finish({ rows: undefined, failure: undefined, fault: undefined, loss: undefined });
    } else if (error !== undefined || !this.#run.inTransaction) this.#link.cancel(this.#exchange);
    // Otherwise the rest is discarded: a cancellation would end the whole transaction.
    this.#wake();
  }

  #finish(end: CopyEnd): void {
    this.#state = 'ended';
    this.#end = end;
    this.#rows = end.rows ?? 0;
    this.#watch.stop();
    this.#ended.resolve();
    this.#wake();
  }

  /** The error of the end, once: after it the iteration is over. */
  #takeError(): { readonly error: unknown } | undefined {
    const { failure, fault, loss } = this.#end ?? {};
    this.#end = undefined;
    if (this.#reason !== undefined) return this.#reason.error === undefined ? undefined : this.#takeReason();
    if (fault !== undefined) return { error: fault };
    if (failure !== undefined) return { error: copyFailure(failure, this.#run) };
    if (loss === undefined) return undefined;
    return { error: loss.sent ? connectionLostError(loss.error) : loss.error };
  }

  #takeReason(): { readonly error: unknown } | undefined {
    const reason = this.#reason;
    this.#reason = { error: undefined };
    return reason;
  }
}
