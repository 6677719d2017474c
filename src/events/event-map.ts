import type { MillpondError } from '../errors/index.ts';

interface ConnectionEvent {
  readonly connectionId: number;
  readonly role: string;
}

/** One statement, as listeners see it. Bound values are there only with `exposeParams`. */
export interface QueryEvent {
  readonly sql: string;
  /** The caller's name for the query. */
  readonly name?: string;
  readonly durationMs: number;
  /** Rows returned, or rows affected for a write. */
  readonly rows: number;
  /** Absent where the statement ran as part of shared traffic. */
  readonly connectionId?: number;
  readonly transactionId?: number;
  readonly placement: 'inline' | 'worker' | 'grouped' | 'connection';
  /** Part of `durationMs`: until the statement was sent to its connection. */
  readonly waitedMs?: number;
  /** Part of `durationMs`: inside the database. What remains is the way there and back. */
  readonly ranMs?: number;
  /** Where the engine knows all of them; those of triggers, views and cascades included. */
  readonly tablesRead?: readonly string[];
  readonly tablesWritten?: readonly string[];
  readonly params?: readonly unknown[];
}

/** A statement that one request sends again and again from one place: a query in a loop. */
interface NPlusOneEvent {
  /** The id of the statement's shape, as metrics show it. */
  readonly statement: string;
  readonly name?: string;
  readonly text: string;
  readonly route: string;
  /** The place in the application's code: `listPosts (/app/src/posts.ts:12:9)`. */
  readonly callSite: string;
  /** Who called that, the nearest first. */
  readonly callers: readonly string[];
  /** How often the request that was caught had sent it. */
  readonly repeats: number;
  /** The statement before it that returned about as many rows, where there is one. */
  readonly parent?: { readonly text: string; readonly rows: number };
  /** What to do instead. */
  readonly suggestion: string;
}

interface TransactionEvent {
  readonly transactionId: number;
  readonly name?: string;
  readonly readOnly: boolean;
}

interface PoolEvent {
  /** `main`, `main:writer`. */
  readonly pool: string;
}

interface CacheEvent {
  /** The name of the cache. */
  readonly cache: string;
  /** Of the cached function, where it has one. Keys are in no event: they may hold secrets. */
  readonly name?: string;
}

interface HealthEvent {
  readonly side: 'primary' | 'replica';
  /** Of a replica: `host:port`. */
  readonly server?: string;
}

interface MigrationEvent {
  readonly migration: string;
  readonly direction: 'up' | 'down';
}

/**
 * Every event's name and what a listener receives. `database` is added to each by the database that announces
 * it.
 */
export interface EventMap {
  'connection:open': ConnectionEvent & { readonly openMs: number };
  'connection:close': ConnectionEvent & { readonly reason: string };
  'connection:error': ConnectionEvent & { readonly error: Error };
  'pool:exhausted': PoolEvent & { readonly error: MillpondError };
  'pool:leak': PoolEvent & { readonly heldMs: number; readonly takenAt: string; readonly holder: string };
  'pool:leak-returned': PoolEvent & {
    readonly heldMs: number;
    readonly takenAt: string;
    readonly holder: string;
  };
  'pool:slow-acquire': PoolEvent & { readonly waitedMs: number };
  /** Announced as the call is made: stack and async context are the caller's. */
  'query:start': Pick<QueryEvent, 'sql' | 'name' | 'transactionId'>;
  /** The events of a statement's end are announced in the async context of its call. */
  'query:end': QueryEvent;
  'query:slow': QueryEvent & { readonly thresholdMs: number };
  'query:error': Omit<QueryEvent, 'rows'> & { readonly error: Error };
  /** Only with `Metrics` that watch the database, in their requests: see docs/metrics.md. */
  'query:n-plus-one': NPlusOneEvent;
  /**
   * Data was, or may have been, changed: once for each commit, before the promise of the write or transaction
   * resolves. Without `tables` anything may have changed.
   */
  'data:change': {
    readonly tables: readonly string[] | undefined;
    /** `foreign`: by another process. */
    readonly source: 'local' | 'foreign';
  };
  'transaction:start': TransactionEvent;
  'transaction:commit': TransactionEvent & { readonly durationMs: number };
  'transaction:rollback': TransactionEvent & { readonly durationMs: number; readonly error?: unknown };
  'transaction:unknown': TransactionEvent & { readonly durationMs: number; readonly error: unknown };
  'transaction:held-too-long': TransactionEvent & { readonly heldMs: number; readonly takenAt: string };
  'cache:hit': CacheEvent & {
    readonly tier: 'memory' | 'redis';
    /** Past its time, and given while or because a new one could not be had. */
    readonly stale: boolean;
  };
  'cache:miss': CacheEvent & {
    /** Inside a transaction that writes: nothing kept is given, and nothing is kept. */
    readonly bypassed: boolean;
  };
  'cache:set': CacheEvent & {
    /** About what it takes in memory. */
    readonly bytes: number;
  };
  'cache:invalidate': Pick<CacheEvent, 'cache'> & {
    /** `foreign`: another process changed the database; `bus`: another process said so. */
    readonly source: 'local' | 'foreign' | 'bus';
    /** Entries of this process's memory. */
    readonly dropped: number;
  };
  /** The second tier does not answer; `cache:up` when it does again. */
  'cache:down': Pick<CacheEvent, 'cache'> & { readonly error: Error };
  'cache:up': Pick<CacheEvent, 'cache'>;
  'health:up': HealthEvent;
  'health:down': HealthEvent & { readonly error: Error };
  'health:reconnecting': HealthEvent & { readonly attempt: number; readonly delayMs: number };
  'migration:start': MigrationEvent;
  'migration:end': MigrationEvent & { readonly durationMs: number; readonly error?: unknown };
  /** Another server takes the writes now: `host:port` of both. */
  'replication:primary-changed': { readonly from: string; readonly to: string };
  /** Notifications of a channel may be missing: see `db.listen`. */
  'listen:gap': { readonly channel: string; readonly reason: 'reconnected' | 'overflow' };
  /** The connection that listens was lost, or a handler of its messages failed. */
  'listen:error': { readonly error: Error };
  'sqlite:checkpoint': {
    readonly walFrames: number;
    readonly checkpointedFrames: number;
    readonly durationMs: number;
  };
  'sqlite:wal-pinned': {
    readonly walBytes: number;
    readonly heldMs: number;
    readonly holder: string;
    readonly takenAt: string;
  };
  'sqlite:inline-overrun': { readonly sql: string; readonly durationMs: number; readonly budgetMs: number };
}

export type EventName = keyof EventMap;
/** What a listener of `Name` receives: the event and the name of the database it comes from. */
export type EventOf<Name extends EventName> = EventMap[Name] & { readonly database: string };
export type Listener<Name extends EventName> = (event: EventOf<Name>) => void;

/** All names, for those who subscribe to everything (loggers, diagnostics channels). */
export const EVENT_NAMES: readonly EventName[] = [
  'connection:open',
  'connection:close',
  'connection:error',
  'pool:exhausted',
  'pool:leak',
  'pool:leak-returned',
  'pool:slow-acquire',
  'query:start',
  'query:end',
  'query:slow',
  'query:error',
  'query:n-plus-one',
  'data:change',
  'transaction:start',
  'transaction:commit',
  'transaction:rollback',
  'transaction:unknown',
  'transaction:held-too-long',
  'cache:hit',
  'cache:miss',
  'cache:set',
  'cache:invalidate',
  'cache:down',
  'cache:up',
  'health:up',
  'health:down',
  'health:reconnecting',
  'migration:start',
  'migration:end',
  'replication:primary-changed',
  'listen:gap',
  'listen:error',
  'sqlite:checkpoint',
  'sqlite:wal-pinned',
  'sqlite:inline-overrun',
];
