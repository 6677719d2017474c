/** The engine's settings, with nothing missing. Filled in by the database from its configuration. */
export interface SqliteSettings {
  /** Absolute path of the database file, or ':memory:'. */
  readonly path: string;
  /** False: one connection does everything, behind the same API. Always false for ':memory:'. */
  readonly pooled: boolean;
  /** The whole database is opened read-only; no writer is made. */
  readonly readOnly: boolean;
  readonly journalMode: string;
  /** 'full' and 'extra' survive a power cut; 'normal' and 'off' only the end of the process. */
  readonly synchronous: 'off' | 'normal' | 'full' | 'extra';
  readonly foreignKeys: boolean;
  /** How long another process's lock is waited for, in ms. */
  readonly busyTimeoutMs: number;
  readonly cacheSizeKiB: number;
  readonly mmapSizeBytes: number;
  readonly journalSizeLimitBytes: number;
  readonly trustedSchema: boolean;
  /** Past this size of the -wal file a checkpoint runs even under load. */
  readonly walCheckpointBytes: number;
  /** Prepared statements kept for each connection. */
  readonly statementCacheSize: number;
  readonly inlineReads: boolean;
  /** How long inline reads may hold one turn of the event loop, in ms. */
  readonly inlineBudgetMs: number;
  /** Default limit of a call, in ms; 0 = none. */
  readonly queryTimeoutMs: number;
  /** How long the answer to a cancellation is waited for before the caller is told 'pending', in ms. */
  readonly cancelGraceMs: number;
  /** How long a stream's cursor may sit untouched before it is closed, in ms; 0 = no limit. */
  readonly streamIdleTimeoutMs: number;
  /** Most calls waiting for a connection; more are refused at once. */
  readonly maxWaiting: number;
}

/** The settings that a worker thread needs; they cross to the thread as they are. */
export type ConnectionSettings = Pick<
  SqliteSettings,
  | 'path'
  | 'pooled'
  | 'journalMode'
  | 'synchronous'
  | 'foreignKeys'
  | 'busyTimeoutMs'
  | 'cacheSizeKiB'
  | 'mmapSizeBytes'
  | 'journalSizeLimitBytes'
  | 'trustedSchema'
  | 'walCheckpointBytes'
  | 'statementCacheSize'
>;

/**
 * What a connection is for: the one that writes, one that only reads, the one that checkpoints beside the
 * writer.
 */
export type ConnectionRole = 'writer' | 'reader' | 'checkpointer';

/** Whether each COMMIT waits for the disk. */
export function isDurable({ synchronous }: Pick<SqliteSettings, 'synchronous'>): boolean {
  return synchronous === 'full' || synchronous === 'extra';
}
