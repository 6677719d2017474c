import { Faults } from './migration-faults.ts';
import type { Migration } from './migration.ts';

/** One line of the history that the database keeps. */
export interface HistoryEntry {
  /** Counts from 1, in the order in which they were applied. */
  readonly position: number;
  readonly name: string;
  readonly checksum: string;
  /**
   * `applying` and `reverting`: a migration that runs without a transaction is under way, or was left
   * halfway.
   */
  readonly state: 'applied' | 'applying' | 'reverting';
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  /** The process that ran it: `host:pid`. */
  readonly runner: string;
}

export interface History {
  readonly applied: readonly HistoryEntry[];
  readonly pending: readonly Migration[];
  /** The one that was begun without a transaction and has not ended. */
  readonly unfinished: HistoryEntry | undefined;
}

/**
 * Compares what the database has applied with what the folder has.
 * @throws MigrationError with every difference, where the folder's past is not the database's
 */
export function compareHistory(migrations: readonly Migration[], entries: readonly HistoryEntry[]): History {
  const faults = new Faults();
  const byName = new Map(migrations.map((migration, index) => [migration.name, { migration, index }]));
  const recorded = new Set(entries.map(({ name }) => name));
  let last: { readonly name: string; readonly index: number } | undefined;
  for (const entry of entries) {
    const found = byName.get(entry.name);
    if (found === undefined) {
      reportMissing(
        entry,
        migrations.filter(({ name }) => !recorded.has(name)),
        faults,
      );
      continue;
    }
    if (found.migration.checksum !== entry.checksum) reportEdited(found.migration, entry, faults);
    if (last !== undefined && found.index < last.index) {
      faults.add('reordered', `it was applied after ${last.name}, and now stands before it`, {
        file: found.migration.up.file,
      });
    }
    last = { name: entry.name, index: found.index };
  }
  const pending = migrations.filter(({ name }) => !recorded.has(name));
  reportLate(pending, { migrations, last }, faults);
  faults.throwIfAny();
  const unfinished = entries.find(({ state }) => state !== 'applied');
  return { applied: entries.filter(({ state }) => state === 'applied'), pending, unfinished };
}

function reportMissing(entry: HistoryEntry, others: readonly Migration[], faults: Faults): void {
  const same = others.find(({ checksum }) => checksum === entry.checksum);
  if (same !== undefined) {
    faults.add(
      'renamed',
      `it was applied as "${entry.name}", at ${entry.startedAt}. Give it that name back`,
      {
        file: same.up.file,
      },
    );
    return;
  }
  faults.add(
    'missing',
    `The migration "${entry.name}" was applied at ${entry.startedAt}, and its file is gone. Bring it ` +
      `back: without ` +
      'it nobody can build this database again.',
  );
}

function reportEdited(
  { up: { file } }: Migration,
  { startedAt, checksum }: HistoryEntry,
  faults: Faults,
): void {
  faults.add(
    'edited',
    `it was applied at ${startedAt} and has been edited since (its checksum was ` +
      `${checksum.slice(0, 12)}…). Undo the ` +
      'edit, and put the change into a new migration',
    { file },
  );
}

/** New files that come before applied ones: other databases have run them in another order. */
function reportLate(
  pending: readonly Migration[],
  {
    migrations,
    last,
  }: {
    readonly migrations: readonly Migration[];
    readonly last: { name: string; index: number } | undefined;
  },
  faults: Faults,
): void {
  if (last === undefined) return;
  for (const migration of pending.filter((one) => migrations.indexOf(one) < last.index)) {
    faults.add(
      'reordered',
      `it is new, and stands before ${last.name}, which is applied. Give it a higher number`,
      {
        file: migration.up.file,
      },
    );
  }
}
