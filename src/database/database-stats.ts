import type { PoolStats } from '../pool/index.ts';
import type { PostgresStats } from '../postgres/index.ts';
import type { Dialect } from '../sql/index.ts';
import type { SqliteStats } from '../sqlite/index.ts';
import type { TransactionStats } from '../transaction/index.ts';
import type { QueryStats } from './query-recorder.ts';
import type { ReplicaState } from './replica-side.ts';

export interface DatabaseStats extends EngineStats {
  readonly name: string;
  readonly dialect: Dialect;
  readonly pool: PoolStats;
  readonly queries: QueryStats;
  readonly transactions: TransactionStats;
}

/** The engine's own figures: those of the one that the database is on. */
export interface EngineStats {
  readonly sqlite?: SqliteStats;
  /**
   * On SQLite, the pools that `pool` adds up, by the names that messages use: `main:writer` for writes,
   * `main` for leases and heavy reads (its `max` is the option `pool.max`), `main:express` for light reads.
   */
  readonly pools?: Readonly<Record<string, PoolStats>>;
  readonly postgres?: PostgresStats;
  /** On PostgreSQL with replicas. */
  readonly replication?: ReplicationStats;
}

export interface ReplicationStats {
  /** The server that takes the writes now. */
  readonly primary: string;
  /** Reads of replicas that ran on the primary. */
  readonly fallbacks: number;
  readonly replicas: readonly {
    readonly server: string;
    readonly state: ReplicaState;
    readonly lagMs: number;
  }[];
  /** The connections to each server that was reached, by `host:port`; `pool` is the sum of them. */
  readonly pools: Readonly<Record<string, PoolStats>>;
}
