import type { ObservedStatement, QueryObserver } from '../driver/index.ts';
import type { Announcer, QueryEvent } from '../events/index.ts';

export interface QueryStats {
  /** Statements that ended, failed ones included. */
  readonly count: number;
  readonly errors: number;
  readonly slow: number;
  readonly rows: number;
  readonly totalMs: number;
}

/** Counts every statement and announces those that somebody wants to hear of. */
export class QueryRecorder implements QueryObserver {
  readonly #announce: Announcer;
  readonly #slowQueryMs: number;
  readonly #exposeParams: boolean;
  #count = 0;
  #errors = 0;
  #slow = 0;
  #rows = 0;
  #totalMs = 0;

  constructor(
    announce: Announcer,
    options: { readonly slowQueryMs: number; readonly exposeParams: boolean },
  ) {
    this.#announce = announce;
    // 0 means off: no duration reaches infinity.
    this.#slowQueryMs = options.slowQueryMs === 0 ? Infinity : options.slowQueryMs;
    this.#exposeParams = options.exposeParams;
  }

  record(durationMs: number, rows: number): boolean {
    this.#count += 1;
    this.#rows += rows;
    this.#totalMs += durationMs;
    return durationMs >= this.#slowQueryMs || this.#announce.has('query:end');
  }

  succeeded(statement: ObservedStatement, rows: number): void {
    const { durationMs } = statement;
    if (this.#announce.has('query:end')) this.#announce.emit('query:end', this.#toEvent(statement, rows));
    if (durationMs < this.#slowQueryMs) return;
    this.#slow += 1;
    if (!this.#announce.has('query:slow')) return;
    this.#announce.emit('query:slow', { ...this.#toEvent(statement, rows), thresholdMs: this.#slowQueryMs });
  }

  failed(statement: ObservedStatement, error: Error): void {
    this.#count += 1;
    this.#errors += 1;
    this.#totalMs += statement.durationMs;
    if (this.#announce.has('query:error'))
      this.#announce.emit('query:error', { ...this.#toEvent(statement, 0), error });
  }

  stats(): QueryStats {
    return {
      count: this.#count,
      errors: this.#errors,
      slow: this.#slow,
      rows: this.#rows,
      totalMs: this.#totalMs,
    };
  }

  #toEvent(statement: ObservedStatement, rows: number): QueryEvent {
    const { text, name, params, placement, connectionId, transactionId, durationMs } = statement;
    return {
      sql: text,
      ...(name === undefined ? {} : { name }),
      durationMs,
      rows,
      placement,
      ...(connectionId === undefined ? {} : { connectionId }),
      ...(transactionId === undefined ? {} : { transactionId }),
      ...(this.#exposeParams ? { params } : {}),
    };
  }
}
