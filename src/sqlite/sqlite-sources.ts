import type { LaneSource } from './lane.ts';
import type { OldestRead } from './wal-governor.ts';

/** The leases that the engine's shared traffic runs on. With one connection both are the same pool. */
export interface SqliteSources {
  readonly writer: LaneSource;
  readonly reader: LaneSource;
  /** Readers for light statements alone. */
  readonly express: LaneSource;
  readonly maxReaders: number;
  /** The oldest lease of a reader, for the message about a pinned log. */
  readonly oldestRead: () => OldestRead | undefined;
}
