/**
 * Where a statement ran: on the caller's own thread, on shared connections, in a group commit, or on a leased
 * one.
 */
export type Placement = 'inline' | 'worker' | 'grouped' | 'connection';

/** Runs `report` in the async context of the call: what it finds in AsyncLocalStorage is the caller's. */
export type CallContext = (report: () => void) => void;

/** What a statement touches, where the engine knows it without asking. */
export interface StatementTables {
  /** Undefined where its answer may depend on tables that cannot be named. */
  readonly tablesRead: readonly string[] | undefined;
  readonly tablesWritten: readonly string[];
}

/** A finished statement, as the engine reports it. */
export interface ObservedStatement {
  readonly text: string;
  readonly name: string | undefined;
  readonly params: readonly unknown[];
  readonly placement: Placement;
  readonly connectionId: number | undefined;
  readonly transactionId: number | undefined;
  /** Waiting for a connection included. */
  readonly durationMs: number;
  /** Of that, waiting for a connection; undefined where nobody was listening when the call was made. */
  readonly waitedMs?: number | undefined;
  /** Of that, inside the database; undefined where the engine does not tell. */
  readonly ranMs?: number | undefined;
  readonly tables?: StatementTables | undefined;
  /** What `capture` returned. */
  readonly context?: CallContext | undefined;
}

/** Told of every statement that an engine finished. Must not throw. */
export interface QueryObserver {
  /** Told of a call as it is made, in the caller's own async context. */
  started(text: string, name: string | undefined, transactionId: number | undefined): void;
  /**
   * The context of a call that will not end in this turn, to report its end in; undefined where nobody wants
   * to hear of it. It costs more than a cheap read does.
   */
  capture(): CallContext | undefined;
  /**
   * Counts a statement that succeeded. Cheap: most statements are of no more interest than that.
   * @param rows rows returned, or affected by a write
   * @returns true when the full report is wanted, through `succeeded`
   */
  record(durationMs: number, rows: number): boolean;
  succeeded(statement: ObservedStatement, rows: number): void;
  /** Counts and reports a statement that failed. */
  failed(statement: ObservedStatement, error: Error): void;
}
