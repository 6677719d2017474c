import { servicesOf, type Database } from '../database/index.ts';
import { MigrationError, type MigrationFault } from '../errors/index.ts';
import { compareHistory, type HistoryEntry } from './compare-history.ts';
import { inStep } from './in-step.ts';
import { Ledger } from './ledger.ts';
import { resolveRunOptions, type HistoryOptions, type LockOptions } from './migrate-options.ts';
import { readMigrations } from './read-migrations.ts';

export interface MigrationStatus {
  /** True where nothing is pending, unfinished or wrong. */
  readonly isCurrent: boolean;
  readonly applied: readonly HistoryEntry[];
  readonly pending: readonly string[];
  /** A migration without a transaction that is under way, or was left halfway. */
  readonly unfinished: HistoryEntry | undefined;
  /** What does not fit: files that were edited, renamed, removed. */
  readonly faults: readonly MigrationFault[];
}

export interface BaselineOptions extends LockOptions {
  /** The last migration that the database has already. @default the last there is */
  readonly to?: string | undefined;
}

export interface ResolveOptions extends LockOptions {
  readonly name: string;
  /** What you found, or brought it to. */
  readonly as: 'applied' | 'not-applied';
}

/** What the database has and what it lacks. Changes nothing; faults are part of the answer. */
export async function migrationStatus(db: Database, given: HistoryOptions = {}): Promise<MigrationStatus> {
  const { folder, table } = resolveRunOptions(given, ['folder', 'table']);
  const entries = await new Ledger(table, db.dialect).read(db);
  try {
    const { applied, pending, unfinished } = compareHistory(
      await readMigrations(folder, db.dialect),
      entries,
    );
    const names = pending.map(({ name }) => name);
    return {
      isCurrent: names.length === 0 && unfinished === undefined,
      applied,
      pending: names,
      unfinished,
      faults: [],
    };
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    const unfinished = entries.find(({ state }) => state !== 'applied');
    const applied = entries.filter(({ state }) => state === 'applied');
    return { isCurrent: false, applied, pending: [], unfinished, faults: error.faults };
  }
}

/**
 * For CI, and before a deployment: the folder can be read, and its past is the database's.
 * @throws MigrationError with every fault
 */
export async function verifyMigrations(db: Database, given: HistoryOptions = {}): Promise<MigrationStatus> {
  const status = await migrationStatus(db, given);
  const [first, ...others] = status.faults;
  if (first !== undefined) throw new MigrationError([first, ...others]);
  if (status.unfinished === undefined) return status;
  const { name, runner, startedAt } = status.unfinished;
  const begun = `The migration "${name}" was begun without a transaction by ${runner} at ${startedAt}`;
  const message = `${begun}, and has not ended.`;
  throw new MigrationError([{ kind: 'dirty', message }]);
}

/**
 * For a database that has its schema already: enters migrations into an empty history without running them.
 * @returns their names
 */
export async function baselineMigrations(db: Database, given: BaselineOptions = {}): Promise<string[]> {
  const options = resolveRunOptions(given, ['folder', 'table', 'lockTimeoutMs', 'to']);
  const migrations = await readMigrations(options.folder, db.dialect);
  const end =
    options.to === undefined
      ? migrations.length
      : migrations.findIndex(({ name }) => name === options.to) + 1;
  if (options.to !== undefined && end === 0)
    throw new MigrationError([{ kind: 'not-found', message: `There is no migration "${options.to}".` }]);
  const ledger = new Ledger(options.table, db.dialect);
  return inStep(db, { ...options, foreignKeys: true }, async (tx) => {
    await ledger.create(tx);
    const [entry] = await ledger.read(tx);
    if (entry !== undefined) {
      const message = `The history begins with "${entry.name}". A baseline is for a database without one.`;
      throw new MigrationError([{ kind: 'dirty', message }]);
    }
    const startedAt = new Date().toISOString();
    for (const [index, { name, checksum }] of migrations.slice(0, end).entries())
      await ledger.add(tx, { position: index + 1, name, checksum, state: 'applied', startedAt });
    return migrations.slice(0, end).map(({ name }) => name);
  });
}

/** Records how a migration ended that ran without a transaction and was left halfway. */
export async function resolveMigration(db: Database, { name, as, ...given }: ResolveOptions): Promise<void> {
  const options = resolveRunOptions(given, ['folder', 'table', 'lockTimeoutMs']);
  const ledger = new Ledger(options.table, db.dialect);
  await inStep(db, { ...options, foreignKeys: true }, async (tx) => {
    const entry = (await ledger.read(tx)).find((one) => one.name === name);
    if (entry === undefined || entry.state === 'applied') {
      const message = `The migration "${name}" is not one that was left halfway.`;
      throw new MigrationError([{ kind: 'not-found', message }]);
    }
    await (as === 'applied' ? ledger.finish(tx, name, null) : ledger.remove(tx, name));
  });
}

/** From now on `db.health()` says whether migrations are pending; this is looked up until none is. */
export function requireMigrations(db: Database, given: HistoryOptions = {}): void {
  let isCurrent = false;
  servicesOf(db).readiness.require('migrations', async () => {
    if (isCurrent) return undefined;
    const status = await migrationStatus(db, given);
    isCurrent = status.isCurrent;
    return isCurrent ? undefined : describe(status);
  });
}

function describe({ faults, unfinished, pending }: MigrationStatus): string {
  if (faults.length > 0) return new MigrationError(faults as [MigrationFault, ...MigrationFault[]]).message;
  if (unfinished !== undefined) return `The migration "${unfinished.name}" has not come to its end.`;
  return `${pending.length} migrations are pending, from "${pending[0]}" on.`;
}
