import type { QueryEvent } from '../events/index.ts';
import { DurationHistogram, type DurationSummary } from './duration-histogram.ts';
import type { Fingerprint } from './fingerprint.ts';

/** Where the time of a statement went, in milliseconds, summed over its calls. */
export interface StatementPhases {
  /** For a connection, or behind other statements. */
  readonly waitingMs: number;
  /** Inside the database. */
  readonly runningMs: number;
  /** There and back: messages between threads or machines, and making rows. */
  readonly transferringMs: number;
  /** Of calls whose engine did not tell. */
  readonly unknownMs: number;
}

/** One shape of statement, or one named query, as pages and exporters show it. */
export interface StatementSnapshot extends DurationSummary {
  /** Of the shape; `other` stands for all that found no place. */
  readonly id: string;
  /** The caller's name for it. */
  readonly name?: string;
  /** Normalised: no literal, no bound value. */
  readonly text: string;
  readonly database: string;
  /** Failed ones are part of `count`. */
  readonly errors: number;
  /** Returned, or affected by a write. */
  readonly rows: number;
  readonly slow: number;
  readonly phases: StatementPhases;
  readonly tablesRead: readonly string[];
  readonly tablesWritten: readonly string[];
}

type Ended = Omit<QueryEvent, 'rows'> & { readonly rows?: number };

/** What is known of one shape of statement. */
export class StatementRecord {
  readonly id: string;
  readonly name: string | undefined;
  readonly text: string;
  /** A text of that shape as it was sent, for EXPLAIN only; it may hold literals and is never shown. */
  readonly sample: string | undefined;
  readonly durations: DurationHistogram = new DurationHistogram();
  #errors = 0;
  #rows = 0;
  #slow = 0;
  #waitingMs = 0;
  #runningMs = 0;
  #transferringMs = 0;
  #unknownMs = 0;
  #tablesRead: readonly string[] = [];
  #tablesWritten: readonly string[] = [];

  constructor(
    fingerprint: Fingerprint,
    seen: { readonly name?: string | undefined; readonly sample?: string | undefined } = {},
  ) {
    this.id = fingerprint.id;
    this.text = fingerprint.text;
    this.name = seen.name;
    this.sample = seen.sample;
  }

  get rows(): number {
    return this.#rows;
  }

  get errors(): number {
    return this.#errors;
  }

  ended(event: Ended, failed: boolean): void {
    this.durations.record(event.durationMs);
    if (failed) this.#errors += 1;
    this.#rows += event.rows ?? 0;
    this.#addPhases(event);
    if (event.tablesRead !== undefined) this.#tablesRead = event.tablesRead;
    if (event.tablesWritten !== undefined) this.#tablesWritten = event.tablesWritten;
  }

  wasSlow(): void {
    this.#slow += 1;
  }

  snapshot(database: string): StatementSnapshot {
    return {
      id: this.id,
      ...(this.name === undefined ? {} : { name: this.name }),
      text: this.text,
      database,
      ...this.durations.summary(),
      errors: this.#errors,
      rows: this.#rows,
      slow: this.#slow,
      phases: {
        waitingMs: this.#waitingMs,
        runningMs: this.#runningMs,
        transferringMs: this.#transferringMs,
        unknownMs: this.#unknownMs,
      },
      tablesRead: this.#tablesRead,
      tablesWritten: this.#tablesWritten,
    };
  }

  #addPhases({ durationMs, waitedMs, ranMs }: Ended): void {
    if (waitedMs === undefined && ranMs === undefined) {
      this.#unknownMs += durationMs;
      return;
    }
    // Measured by clocks of two threads: their sum may be a hair above the whole.
    const waiting = Math.min(durationMs, waitedMs ?? 0);
    const running = Math.min(durationMs - waiting, ranMs ?? 0);
    this.#waitingMs += waiting;
    this.#runningMs += running;
    const rest = durationMs - waiting - running;
    if (ranMs === undefined) this.#unknownMs += rest;
    else this.#transferringMs += rest;
  }
}
