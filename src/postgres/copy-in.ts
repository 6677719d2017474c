import { OutcomeUnknownError, UsageError } from '../errors/index.ts';
import type { CopySource, RunResult } from '../driver/index.ts';
import { CopyExchange, type CopyEnd } from './copy-exchange.ts';
import { CopyWatch, type CopyLimits } from './copy-watch.ts';
import type { PostgresLink } from './link.ts';
import { connectionLostError, translateFailure } from './translate-failure.ts';

export interface CopyRun {
  readonly text: string;
  readonly limits: CopyLimits;
  /** It is part of a transaction, which decides whether it lasts. */
  readonly inTransaction: boolean;
  /** Limits of the server that are off for it, and for the rest of its transaction. */
  readonly lifted: readonly string[];
  readonly refusal: () => Error | undefined;
}

/** A longer piece would be in memory twice as a whole: it goes out in parts. */
const LARGEST_PART = 65_536;

/**
 * Sends what `source` gives, piece by piece and no faster than the server takes it. All of it is kept, or
 * nothing: when the source fails, the COPY fails, and the caller gets the source's error.
 */
export function copyIn(link: PostgresLink, source: CopySource, run: CopyRun): Promise<RunResult> {
  return new CopyInput(link, iterate(source), run).start();
}

class CopyInput {
  readonly #link: PostgresLink;
  readonly #source: Iterating;
  readonly #run: CopyRun;
  readonly #exchange: CopyExchange;
  readonly #watch: CopyWatch;
  readonly #result = Promise.withResolvers<RunResult>();
  /** Why it is to end early; the first reason stands. */
  #reason: { readonly error: unknown } | undefined;
  #isOver = false;
  /** Sent since the socket was last asked for room. */
  #unheldBytes = 0;

  constructor(link: PostgresLink, source: Iterating, run: CopyRun) {
    this.#link = link;
    this.#source = source;
    this.#run = run;
    this.#watch = new CopyWatch(run.limits, (error) => this.#giveUp(error));
    this.#exchange = new CopyExchange({
      text: run.text,
      direction: 'in',
      lifted: run.lifted,
      refusal: run.refusal,
      begun: () => this.#begin(),
      data: () => {},
      ended: (end) => this.#finish(end),
    });
  }

  start(): Promise<RunResult> {
    this.#watch.start();
    if (this.#reason === undefined) this.#link.send(this.#exchange);
    return this.#result.promise;
  }

  #begin(): void {
    if (this.#reason === undefined) void this.#send();
    // It was given up on its way: a server that waits for data does not listen to the cancellation.
    else this.#exchange.abandon();
  }

  async #send(): Promise<void> {
    try {
      while (!this.#isOver) {
        const step: { done?: boolean | undefined; value: unknown } = await this.#source.next();
        if (step.done === true || this.#reason !== undefined) break;
        for (const part of partsOf(step.value)) await this.#sendPart(part);
      }
      if (this.#reason === undefined) this.#exchange.complete();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  async #sendPart(part: Uint8Array): Promise<void> {
    this.#exchange.sendData(part);
    this.#unheldBytes += part.length;
    this.#watch.progress();
    if (this.#unheldBytes < LARGEST_PART) return;
    // Asking for room for each short line would take longer than the line itself.
    this.#unheldBytes = 0;
    await this.#link.room();
    this.#watch.progress();
  }

  #giveUp(error: unknown): void {
    if (this.#reason !== undefined || this.#isOver) return;
    this.#reason = { error };
    if (this.#exchange.state === 'unsent' || this.#link.withdraw(this.#exchange)) {
      return this.#finish({ rows: undefined, failure: undefined, fault: undefined, loss: undefined });
    }
    // A server that waits for data is told that they end; one that waits for a lock listens to nothing.
    if (this.#exchange.state === 'open') this.#exchange.abandon();
    this.#link.cancel(this.#exchange);
  }

  #finish(end: CopyEnd): void {
    this.#isOver = true;
    this.#watch.stop();
    // The source may be busy for ever, so its end is not waited for; nor does it matter how that goes.
    (async () => this.#source.return?.())().catch(() => undefined);
    const { rows, failure, fault, loss } = end;
    // It may have been too late to give it up: then it is done.
    if (rows !== undefined && failure === undefined && fault === undefined) {
      this.#result.resolve({ rowsAffected: rows });
    } else if (loss?.sent === true && this.#exchange.mayBeDone && !this.#run.inTransaction) {
      this.#result.reject(unknownError(loss.error));
    } else this.#result.reject(this.#reason === undefined ? errorOf(end, this.#run) : this.#reason.error);
  }
}

type Iterating = AsyncIterator<unknown> | Iterator<unknown>;

function errorOf({ failure, fault, loss }: CopyEnd, run: CopyRun): Error {
  if (loss !== undefined && !loss.sent) return loss.error;
  if (fault !== undefined) return fault;
  if (failure !== undefined) return copyFailure(failure, run);
  return connectionLostError(loss!.error);
}

function unknownError(cause: Error): OutcomeUnknownError {
  return new OutcomeUnknownError(
    'The connection was lost after all data were sent: they may be committed or not.',
    { cause },
  );
}

/** The server's messages quote the data: whatever is in quotes is left out. */
export function copyFailure(failure: NonNullable<CopyEnd['failure']>, { text, limits }: CopyRun): Error {
  return translateFailure(failure, { text, name: limits.name, params: [DATA] });
}

const DATA: object = Object.freeze({});

function iterate(source: CopySource): Iterating {
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
    if (Symbol.iterator in source && !ArrayBuffer.isView(source)) return source[Symbol.iterator]();
  }
  throw new UsageError(
    'copyIn takes its data from an iterable of Uint8Arrays or strings: a stream, a generator.',
  );
}

function* partsOf(value: unknown): Generator<Uint8Array> {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  if (!(bytes instanceof Uint8Array)) {
    throw new UsageError('copyIn takes pieces that are Uint8Arrays or strings.');
  }
  for (let start = 0; start < bytes.length; start += LARGEST_PART) {
    yield bytes.subarray(start, start + LARGEST_PART);
  }
}
