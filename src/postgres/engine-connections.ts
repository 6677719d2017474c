import type { ConnectionSource } from './clean-source.ts';

/** The leases that statements outside transactions run on. */
export interface PostgresSources {
  readonly connections: ConnectionSource;
  /** Connections for reads that many callers share; absent where each has one of its own. */
  readonly shared?: ConnectionSource | undefined;
  /** Connections for writes that are committed together; absent as above. */
  readonly grouped?: ConnectionSource | undefined;
}

/** Most connections of each kind that the engine uses for all callers together. */
export const ENGINE_CONNECTIONS = { shared: 2, grouped: 2 } as const;

/** The names under which the engine itself holds connections, for all callers together. */
export const ENGINE_HOLDERS = {
  sharedReads: 'shared reads',
  groupedWrites: 'grouped writes',
} as const;
