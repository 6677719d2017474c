import type { EventName, Listener } from '../events/index.ts';
import type { Dialect } from '../sql/index.ts';

/** What metrics ask of a database; `Database` is one. */
export interface ObservedDatabase {
  readonly name: string;
  readonly dialect: Dialect;
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void;
  stats(): ObservedStats;
}

/** The part of `db.stats()` that is exported. */
export interface ObservedStats {
  readonly pool: ObservedPool;
  readonly queries: {
    readonly count: number;
    readonly errors: number;
    readonly slow: number;
    readonly rows: number;
    readonly totalMs: number;
  };
  readonly transactions: {
    readonly started: number;
    readonly committed: number;
    readonly rolledBack: number;
    readonly unknown: number;
    readonly active: number;
  };
  readonly sqlite?: Readonly<Record<string, number | string | boolean>>;
  readonly postgres?: {
    readonly shared: number;
    readonly alone: number;
    readonly groupCommits: number;
    readonly groupedWrites: number;
  };
}

export interface ObservedPool {
  readonly size: number;
  readonly idle: number;
  readonly leased: number;
  readonly waiting: number;
  readonly connecting: number;
  readonly max: number;
  readonly overflow: number;
  readonly created: number;
  readonly retired: number;
  readonly timeouts: number;
  readonly acquireMs: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  };
}

/** What metrics ask of a cache. */
export interface ObservedCache {
  /** Counters and sizes; those that are not numbers are left out. */
  stats(): object;
}
