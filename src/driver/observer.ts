/**
 * Where a statement ran: on the caller's own thread, on shared connections, in a group commit, or on a leased
 * one.
 */
export type Placement = 'inline' | 'worker' | 'grouped' | 'connection';

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
}

/** Told of every statement that an engine finished. Must not throw. */
export interface QueryObserver {
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
