import type {
  CallOptions,
  CopySource,
  ObservedStatement,
  QueryObserver,
  RunResult,
} from '../driver/index.ts';
import { OutcomeUnknownError, UsageError } from '../errors/index.ts';
import type { Changes } from './changes.ts';
import { copyIn, type CopyRun } from './copy-in.ts';
import { CopyOutput } from './copy-out.ts';
import { notACopyError } from './copy-exchange.ts';
import type { PostgresLink } from './link.ts';
import { keptLimits, type ServerLimits } from './server-limits.ts';
import { leadingWord } from './statement-words.ts';
import type { TransactionControl } from './transaction-control.ts';

export interface CopiesEnvironment {
  readonly observer: QueryObserver;
  readonly queryTimeoutMs: number;
  readonly serverLimits: ServerLimits;
  isWatched(): boolean;
  announceChanges(changes: Changes): void;
}

/** The COPYs of one connection, whose data go over it; alone, or as parts of its transaction. */
export class ConnectionCopies {
  readonly #link: PostgresLink;
  readonly #environment: CopiesEnvironment;
  readonly #control: TransactionControl;
  readonly #running = new Set<AbortController>();

  constructor(link: PostgresLink, environment: CopiesEnvironment, control: TransactionControl) {
    this.#link = link;
    this.#environment = environment;
    this.#control = control;
  }

  async copyIn(text: string, source: CopySource, options: CallOptions): Promise<RunResult> {
    const { run, report, over } = this.#begin(text, options);
    try {
      this.#control.noteUnknownWrite();
      const result = await copyIn(this.#link, source, run);
      if (!run.inTransaction) this.#announceChange();
      report(result.rowsAffected, undefined);
      return result;
    } catch (error) {
      if (error instanceof OutcomeUnknownError) this.#announceChange();
      report(0, error as Error);
      throw error;
    } finally {
      over();
    }
  }

  async *copyOut(text: string, options: CallOptions): AsyncGenerator<Uint8Array, undefined> {
    const { run, report, over } = this.#begin(text, options);
    const output = new CopyOutput(this.#link, run);
    let failure: Error | undefined;
    try {
      yield* output;
      return undefined;
    } catch (error) {
      failure = error as Error;
      throw error;
    } finally {
      // Also when its consumer has had enough.
      report(output.rows, failure);
      over();
    }
  }

  /** Ends what runs; it rejects with `reason`. */
  endAll(reason: Error): void {
    for (const running of this.#running) running.abort(reason);
  }

  /** Which tables a COPY wrote to is not examined. */
  #announceChange(): void {
    if (this.#environment.isWatched()) this.#environment.announceChanges('anything');
  }

  #begin(
    text: string,
    options: CallOptions,
  ): { run: CopyRun; report: (rows: number, error: Error | undefined) => void; over: () => void } {
    if (leadingWord(text) !== 'copy') throw notACopyError();
    const refusal = this.#control.refusal();
    if (refusal !== undefined) throw refusal;
    this.#control.sendBegin();
    const running = new AbortController();
    this.#running.add(running);
    const { name, signal, timeoutMs } = options;
    const stop = signal === undefined ? running.signal : AbortSignal.any([signal, running.signal]);
    const run: CopyRun = {
      text,
      limits: { name, signal: stop, timeoutMs, idleMs: this.#environment.queryTimeoutMs },
      inTransaction: this.#control.isOpen,
      lifted: this.#liftedSettings(),
      refusal: () => this.#control.refusal(),
    };
    return { run, report: this.#reporter(text, name), over: () => void this.#running.delete(running) };
  }

  /** A transaction keeps the limit that it began with. */
  #liftedSettings(): string[] {
    const { statementMs, transactionMs } = keptLimits(this.#environment.serverLimits, this.#link.parameters);
    const isApart = !this.#control.isOpen;
    return [
      ...(statementMs > 0 ? ['statement_timeout'] : []),
      ...(isApart && transactionMs > 0 ? ['transaction_timeout'] : []),
    ];
  }

  #reporter(text: string, name: string | undefined): (rows: number, error: Error | undefined) => void {
    const { observer } = this.#environment;
    const { transactionId } = this.#control;
    const startedAt = performance.now();
    observer.started(text, name, transactionId);
    const context = observer.capture();
    return (rows, error) => {
      const durationMs = performance.now() - startedAt;
      const observed: ObservedStatement = {
        ...{ text, name, params: [], placement: 'connection', connectionId: this.#link.id },
        ...{ transactionId, durationMs, context },
      };
      if (error !== undefined) {
        if (transactionId !== undefined && !(error instanceof UsageError)) this.#control.noteFailure(error);
        observer.failed(observed, error);
      } else if (observer.record(durationMs, rows)) observer.succeeded(observed, rows);
    };
  }
}
