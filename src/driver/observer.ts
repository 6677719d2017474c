/** Where a statement ran: on the caller's own thread, on shared connections, in a group commit, or on a leased one. */
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
  /** @param rows rows returned, or affected by a write */
  succeeded(statement: ObservedStatement, rows: number): void;
  failed(statement: ObservedStatement, error: Error): void;
  /**
   * The cheap way to report an inline read: no object is made for it unless somebody listens.
   * @returns true when the full report is wanted through `succeeded`
   */
  countRead(durationMs: number, rows: number): boolean;
}
