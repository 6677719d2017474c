import type { ExplainingDatabase, ObservedCache, ObservedDatabase } from '../metrics/index.ts';

/** What a monitor asks of a database; `Database` is one. */
export interface MonitoredDatabase extends ObservedDatabase, ExplainingDatabase {
  leases(): readonly MonitoredLease[];
  health(): Promise<MonitoredHealth>;
}

export interface MonitoredLease {
  readonly holder: string;
  readonly heldMs: number;
  /** The taker's stack; empty when it was not captured. */
  readonly takenAt: string;
}

export interface MonitoredHealth {
  readonly status: 'up' | 'down';
  readonly checks: readonly {
    readonly side: string;
    readonly status: 'up' | 'down';
    readonly latencyMs: number;
    readonly error?: Error;
  }[];
}

/** What a monitor asks of a cache. */
export interface MonitoredCache extends ObservedCache {
  readonly name: string;
  clear(): unknown;
  /** Frees what has expired. */
  cleanup(): unknown;
}
