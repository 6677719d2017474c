import { basename } from 'node:path';
import { isDurable, type SqliteSettings } from './settings.ts';
import { walBytes } from './wal-governor.ts';

/**
 * What the engine of a SQLite file has done since it was opened, and how it is set up. Not an interface, so
 * that exporters of figures can take it as a record.
 */
export type SqliteStats = SqliteCounts & {
  /** Size of the write-ahead log now. */
  readonly walBytes: number;
  /** `'full'`: a commit survives a power failure; `'process'`: the end of the process. */
  readonly durability: 'full' | 'process';
  /** The file's name, without its folder; or `:memory:`. */
  readonly file: string;
};

type SqliteCounts = {
  /** Reads that ran on the calling thread, … */
  readonly inline: number;
  /** … and those that were sent to a worker, … */
  readonly offloaded: number;
  /** … of which some were moved to another one, because a slow statement was before them. */
  readonly movedReads: number;
  readonly groupCommits: number;
  /** The writes in those commits. */
  readonly groupedWrites: number;
  /** Groups that ran again one by one. */
  readonly groupReplays: number;
  /** How often the write-ahead log was moved into the file. */
  readonly checkpoints: number;
  /** How a running statement is stopped: at once, or between two rows (no interrupt extension). */
  readonly cancellation: 'interrupt' | 'row';
};

export function toStats(settings: SqliteSettings, counts: SqliteCounts): SqliteStats {
  return {
    ...counts,
    walBytes: walBytes(settings.path),
    durability: isDurable(settings) ? 'full' : 'process',
    file: basename(settings.path),
  };
}
