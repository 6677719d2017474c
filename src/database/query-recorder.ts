import { AsyncResource } from 'node:async_hooks';
import type { CallContext, ObservedStatement, QueryObserver } from '../driver/index.ts';
import type { Announcer, EventMap, QueryEvent } from '../events/index.ts';

export interface QueryStats {
  /** Statements that ended, failed ones included. */
  readonly count: number;
  readonly errors: number;
  readonly slow: number;
  readonly rows: number;
  readonly totalMs: number;
}

/** Nobody listens for the end of a call's resource, so Node need not watch for it to be collected. */
const WITHOUT_END = { requireManualDestroy: true };

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

  started(sql: string, name: string | undefined, transactionId: number | undefined): void {
    if (!this.#announce.has('query:start')) return;
    const event: Mutable<EventMap['query:start']> = { sql };
    if (name !== undefined) event.name = name;
    if (transactionId !== undefined) event.transactionId = transactionId;
    this.#announce.emit('query:start', event);
  }

  capture(): CallContext | undefined {
    if (!this.#announce.has('query:end')) return undefined;
    // AsyncLocalStorage.snapshot() gives the same for 25 times as long: 4 us instead of 0.15 (Node 24).
    const call = new AsyncResource('MILLPOND_CALL', WITHOUT_END);
    return (report) => call.runInAsyncScope(report);
  }

  record(durationMs: number, rows: number): boolean {
    this.#count += 1;
    this.#rows += rows;
    this.#totalMs += durationMs;
    return durationMs >= this.#slowQueryMs || this.#announce.has('query:end');
  }

  succeeded(statement: ObservedStatement, rows: number): void {
    const isSlow = statement.durationMs >= this.#slowQueryMs;
    if (isSlow) this.#slow += 1;
    const { text: sql, durationMs, placement } = statement;
    const event = this.#complete<Mutable<QueryEvent>>({ sql, durationMs, rows, placement }, statement);
    if (statement.context === undefined) this.#announceEnd(event, isSlow);
    else statement.context(() => this.#announceEnd(event, isSlow));
  }

  failed(statement: ObservedStatement, error: Error): void {
    this.#count += 1;
    this.#errors += 1;
    this.#totalMs += statement.durationMs;
    if (!this.#announce.has('query:error')) return;
    const { text: sql, durationMs, placement } = statement;
    const event = this.#complete({ sql, durationMs, placement, error }, statement);
    inContextOf(statement, () => this.#announce.emit('query:error', event));
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

  #announceEnd(event: QueryEvent, isSlow: boolean): void {
    this.#announce.emit('query:end', event);
    if (isSlow) this.#announce.emit('query:slow', { ...event, thresholdMs: this.#slowQueryMs });
  }

  #complete<Event extends Mutable<Omit<QueryEvent, 'rows'>>>(
    event: Event,
    { name, connectionId, transactionId, waitedMs, ranMs, tables, params }: ObservedStatement,
  ): Event {
    // One statement each: spreading optional parts costs as much as all the listeners do.
    if (name !== undefined) event.name = name;
    if (connectionId !== undefined) event.connectionId = connectionId;
    if (transactionId !== undefined) event.transactionId = transactionId;
    if (waitedMs !== undefined) event.waitedMs = waitedMs;
    if (ranMs !== undefined) event.ranMs = ranMs;
    if (tables !== undefined) {
      if (tables.tablesRead !== undefined) event.tablesRead = tables.tablesRead;
      event.tablesWritten = tables.tablesWritten;
    }
    if (this.#exposeParams) event.params = params;
    return event;
  }
}

type Mutable<Event> = { -readonly [Key in keyof Event]: Event[Key] };

function inContextOf({ context }: ObservedStatement, report: () => void): void {
  if (context === undefined) report();
  else context(report);
}
