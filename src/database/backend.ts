import type {
  BatchItemResult,
  CallOptions,
  CopySource,
  DriverConnection,
  LeaseSource,
  QueryObserver,
  RunResult,
  Shape,
  ShapeResult,
  Statement,
  StatementDescription,
} from '../driver/index.ts';
import type { Announcer } from '../events/index.ts';
import type { LeaseInfo, PoolStats } from '../pool/index.ts';
import type { ListenHandler, ListenOptions, Subscription } from '../postgres/index.ts';
import type { Dialect } from '../sql/index.ts';
import type { EngineStats } from './database-stats.ts';

/** What every kind of backend is made with. */
export interface BackendParts {
  readonly name: string;
  readonly announce: Announcer;
  readonly observer: QueryObserver;
  /**
   * Called before a write outside a transaction is accepted; throws where it would wait for its own caller.
   */
  readonly beforeWrite: () => void;
  /**
   * With one connection for everything: called before any call outside a transaction is accepted; throws
   * where a transaction of its own flow holds that connection.
   */
  readonly beforeCall: () => void;
}

/** What a replica says of itself. */
export interface ReplicaHealth {
  readonly side: 'replica';
  readonly status: 'up' | 'down';
  readonly latencyMs: number;
  /** `host:port`. */
  readonly server: string;
  readonly lagMs: number;
  readonly error?: Error;
}

/** An engine with its pools, as `Database` uses it. Statements here run outside any transaction. */
export interface Backend {
  readonly dialect: Dialect;
  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]>;
  stream(statement: Statement, options: CallOptions): AsyncIterableIterator<Record<string, unknown>[]>;
  batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]>;
  script(text: string, options: CallOptions): Promise<void>;

  /**
   * What a statement is, without running it. Parameters come without their names. @throws the error of the
   * statement
   */
  describe(text: string): Promise<StatementDescription>;

  /** COPY on a connection of its own; absent where the engine has no such thing. */
  copyIn?(text: string, source: CopySource, options: CallOptions): Promise<RunResult>;
  copyOut?(text: string, options: CallOptions): AsyncIterableIterator<Uint8Array>;
  /** Notifications of a channel; absent where the engine has none. */
  listen?(channel: string, handler: ListenHandler | undefined, options: ListenOptions): Promise<Subscription>;

  /** Where the connections of transactions and leases come from. */
  source(readOnly: boolean): LeaseSource<DriverConnection>;
  /** Where leases come from, if not from the source of reads. */
  leaseSource?(): LeaseSource<DriverConnection>;
  /** False when taking a connection of that kind now would have to wait for another holder. */
  hasRoom(readOnly: boolean): boolean;
  /** True where only one connection can write. */
  readonly exclusiveWriter: boolean;
  /** True where reads take other connections than writes do. */
  readonly readersApart: boolean;

  poolStats(): PoolStats;
  leases(): LeaseInfo[];
  /** The engine's own figures, under its own key of `db.stats()`. */
  engineStats(): EngineStats;
  /** Calls that were accepted and are not answered yet, waiting ones included. */
  pendingCalls(): number;
  /** Asks the database whether it answers. @throws the reason why not */
  check(): Promise<void>;
  /** Asks each replica. Absent where there are none. */
  replicaHealth?(): Promise<ReplicaHealth[]>;
  /** See `Database.readYourWrites` and `lastWrite`. Absent where every read sees every write. */
  readYourWrites?<T>(after: string | undefined, work: () => T): T;
  readAfter?<T>(token: string, work: () => T): T;
  readLatest?<T>(work: () => T): T;
  lastWrite?(): Promise<string | undefined>;
  /**
   * Drops connections that may be stale, after a failed check. Absent for a database in memory, whose data
   * would go with them.
   */
  readonly reconnect: (() => void) | undefined;
  backup(path: string, overwrite: boolean): Promise<void>;
  /**
   * Ends everything: waits for leases up to the limit, then ends them under their holders. Settles within 2 s
   * of the limit.
   */
  close(timeoutMs: number): Promise<void>;
}
