/** The engine's settings for one server, with nothing missing. Filled in by the database. */
export interface PostgresSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Asked for at each connection; never kept by the engine. */
  readonly password: () => string | undefined;
  readonly database: string;
  /** Connection parameters of the URL: `sslmode`, `application_name`, `options`, … */
  readonly parameters: Readonly<Record<string, string>>;
  /** The schemas in which names are looked up; empty: as the server is set up. */
  readonly searchPath: string;
  readonly readOnly: boolean;
  /** False: one connection does everything, behind the same API. */
  readonly pooled: boolean;
  /** Statements are kept on the server under names. */
  readonly preparedStatements: boolean;
  /**
   * A pooler stands in between that may give each transaction another session of the server: nothing is set
   * for a session.
   */
  readonly throughPooler: boolean;
  /** Prepared statements kept on each connection. */
  readonly statementCacheSize: number;
  /** Default limit of a call, in ms; 0 = none. */
  readonly queryTimeoutMs: number;
  /** How long the answer to a cancellation is waited for before the caller is told 'pending', in ms. */
  readonly cancelGraceMs: number;
  /** How long a stream may sit untouched before it is closed, in ms; 0 = no limit. */
  readonly streamIdleTimeoutMs: number;
  /** Limits that the server itself enforces, in ms, in case the client is gone; 0 = none. */
  readonly transactionTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
  /** Most calls waiting for a connection; more are refused at once. */
  readonly maxWaiting: number;
}

/**
 * What a connection is for: anything, the reads that many callers share (it cannot write), or writes that
 * are committed together (it waits for no lock for long).
 */
export type ConnectionRole = 'connection' | 'shared' | 'grouped';
