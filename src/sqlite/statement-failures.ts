import type { CallOptions, QueryObserver, Statement } from '../driver/index.ts';
import { MillpondError, QueryExecutionError } from '../errors/index.ts';
import { toFailure } from './failure.ts';
import type { FileWatch } from './file-guard.ts';
import { redact } from './redact.ts';
import { translateFailure } from './translate-failure.ts';

/** The public errors of statements that the calling thread could not prepare or run. */
export class StatementFailures {
  readonly #observer: QueryObserver;
  readonly #fileWatch: FileWatch;

  constructor(observer: QueryObserver, fileWatch: FileWatch) {
    this.#observer = observer;
    this.#fileWatch = fileWatch;
  }

  /** Also reports it to the observer, if it is the statement's own error. */
  toError(error: unknown, statement: Statement, options: CallOptions): unknown {
    const failure = this.#toPublic(error, statement, options);
    if (failure instanceof QueryExecutionError) {
      const where = { placement: 'inline', connectionId: undefined, transactionId: undefined } as const;
      this.#observer.failed({ ...statement, name: options.name, ...where, durationMs: 0 }, failure);
    }
    return failure;
  }

  #toPublic(error: unknown, { text, params }: Statement, { name, signal }: CallOptions): unknown {
    if (signal?.aborted === true || !(error instanceof Error) || error instanceof MillpondError) return error;
    const failure = toFailure(error);
    this.#fileWatch.noteFailure(failure);
    const message = redact(failure.message, text, params);
    return translateFailure({ ...failure, message }, { text, name });
  }
}
