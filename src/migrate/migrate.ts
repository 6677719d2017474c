import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../async/index.ts';
import { servicesOf, type Database } from '../database/index.ts';
import { MigrationError, UsageError, type MigrationFaultKind } from '../errors/index.ts';
import { compareHistory, type History, type HistoryEntry } from './compare-history.ts';
import { hasEnded, Ledger } from './ledger.ts';
import {
  resolveRunOptions,
  type MigrateOptions,
  type ResolvedRunOptions,
  type RevertOptions,
} from './migrate-options.ts';
import type { Migration } from './migration.ts';
import { readMigrations } from './read-migrations.ts';
import { runMigration, type MigrationRun, type RunParts } from './run-migration.ts';

export interface MigrationResult {
  /** What this call did, in order; with `dryRun`, what it would do. */
  readonly done: readonly { readonly name: string; readonly durationMs: number | undefined }[];
  /** What the database lacks now. */
  readonly pending: readonly string[];
}

/** Between two looks at a migration that another runner has under way. */
const LOOK_MS = 100;
const READINESS = 'migrations';
const RUN_OPTIONS = [
  'folder',
  'table',
  'lockTimeoutMs',
  'timeoutMs',
  'dryRun',
  'onProgress',
  'signal',
  'to',
] as const;

/**
 * Applies the pending migrations, each in a transaction with its line of the history. Any number of processes
 * may do so at once: each migration runs once, and all of them return when nothing is pending.
 * @throws MigrationError with every fault of the folder or the history, before anything is changed; or where
 * a migration failed: those before it stay applied
 */
export async function migrate(db: Database, given: MigrateOptions = {}): Promise<MigrationResult> {
  const options = resolveRunOptions(given, RUN_OPTIONS);
  return whileNotReady(db, async () => {
    const migrations = await readMigrations(options.folder, db.dialect);
    const parts = partsOf(db, options);
    const planned = (history: History) => upTo(options.to, migrations, history);
    return runAll(parts, migrations, planned, (migration, place) =>
      upRun({ ...parts, migrations }, migration, place),
    );
  });
}

/**
 * Undoes the last migrations, by their `.down.sql` files.
 * @throws MigrationError where one has no way back, before anything is changed
 */
export async function revert(db: Database, given: RevertOptions = {}): Promise<MigrationResult> {
  const options = resolveRunOptions(given, [...RUN_OPTIONS, 'count']);
  const migrations = await readMigrations(options.folder, db.dialect);
  const parts = partsOf(db, options);
  // Where it ends is decided once: another runner that also undoes must not make this one undo more.
  let last: string | undefined;
  const planned = (history: History): Migration[] => {
    last ??= lastToRevert(options, history);
    return toRevert(last, migrations, history);
  };
  return runAll(parts, migrations, planned, (migration, place) =>
    downRun({ ...parts, migrations }, migration, place),
  );
}

/**
 * @throws UsageError inside a transaction of the same database: its own transaction would have to wait for
 * that one
 */
function partsOf(db: Database, options: ResolvedRunOptions): RunParts {
  if (db.currentTransaction !== undefined)
    throw new UsageError('Migrations begin transactions of their own: they cannot run inside one.');
  return { db, ledger: new Ledger(options.table, db.dialect), options };
}

type Place = Pick<MigrationRun, 'index' | 'count'>;

async function runAll(
  parts: RunParts,
  migrations: readonly Migration[],
  planned: (history: History) => readonly Migration[],
  toRun: (migration: Migration, place: Place) => MigrationRun,
): Promise<MigrationResult> {
  const done: { name: string; durationMs: number | undefined }[] = [];
  const waitUntil = systemClock.now() + parts.options.lockTimeoutMs;
  for (let count: number | undefined; ;) {
    parts.options.signal?.throwIfAborted();
    const history = compareHistory(migrations, await parts.ledger.read(parts.db));
    if (history.unfinished !== undefined) {
      await waitFor(history.unfinished, waitUntil, parts.options);
      continue;
    }
    const rest = planned(history);
    const pending = history.pending.map(({ name }) => name);
    if (parts.options.dryRun)
      return { done: rest.map(({ name }) => ({ name, durationMs: undefined })), pending };
    const [next] = rest;
    if (next === undefined) return { done, pending };
    count ??= rest.length;
    const durationMs = await runMigration(parts, toRun(next, { index: count - rest.length + 1, count }));
    if (durationMs !== undefined) done.push({ name: next.name, durationMs });
  }
}

/** @throws MigrationError where there is nobody to wait for, or not in time */
async function waitFor(
  entry: HistoryEntry,
  waitUntil: number,
  { lockTimeoutMs }: ResolvedRunOptions,
): Promise<void> {
  const what = entry.state === 'applying' ? 'was being applied' : 'was being undone';
  const since = `since ${entry.startedAt}, by ${entry.runner}`;
  const begun = `The migration "${entry.name}" ${what} without a transaction, ${since}`;
  if (hasEnded(entry)) {
    throw fault(
      'dirty',
      `${begun}, and never came to its end: what it has done is half of it, or all. Look at the schema, ` +
        `put it right, ` +
        `and tell the history: millpond migrate resolve ${entry.name} --applied, or --not-applied.`,
    );
  }
  if (systemClock.now() >= waitUntil) {
    throw fault(
      'locked',
      `${begun}. It has not ended within ${lockTimeoutMs} ms (lockTimeoutMs). If that process is gone, ` +
        `look at the ` +
        `schema, and tell the history: millpond migrate resolve ${entry.name} --applied, or --not-applied.`,
    );
  }
  await sleep(LOOK_MS);
}

function upTo(
  to: string | undefined,
  migrations: readonly Migration[],
  { pending }: History,
): readonly Migration[] {
  if (to === undefined) return pending;
  const end = migrations.findIndex(({ name }) => name === to);
  if (end < 0) throw fault('not-found', `There is no migration "${to}" to stop at.`);
  return pending.filter((one) => migrations.indexOf(one) <= end);
}

/** @returns the name of the earliest one to undo; '' where there is none */
function lastToRevert({ to, count = 1 }: ResolvedRunOptions, { applied }: History): string {
  if (to === undefined) return applied.at(-Math.min(count, applied.length))?.name ?? '';
  const stays = applied.findIndex(({ name }) => name === to);
  if (stays < 0)
    throw fault('not-found', `No migration "${to}" is applied; it was to be the last that stays.`);
  return applied[stays + 1]?.name ?? '';
}

function toRevert(last: string, migrations: readonly Migration[], { applied }: History): Migration[] {
  const begin = applied.findIndex(({ name }) => name === last);
  if (begin < 0) return [];
  const byName = new Map(migrations.map((migration) => [migration.name, migration]));
  const reverted = applied
    .slice(begin)
    .toReversed()
    .map(({ name }) => byName.get(name)!);
  const [irreversible] = reverted.filter(({ down }) => down === undefined);
  if (irreversible === undefined) return reverted;
  const file = irreversible.up.file;
  throw fault('irreversible', `it has no way back: there is no ${irreversible.name}.down.sql`, file);
}

interface Plan extends RunParts {
  readonly migrations: readonly Migration[];
}

function upRun({ ledger, migrations }: Plan, migration: Migration, place: Place): MigrationRun {
  const { name, checksum, up: program } = migration;
  let position = 0;
  const enter = (
    db: Parameters<Ledger['add']>[0],
    state: 'applied' | 'applying',
    took?: { startedAt: string; durationMs: number },
  ) => ledger.add(db, { position, name, checksum, state, startedAt: new Date().toISOString(), ...took });
  return {
    ...place,
    name,
    direction: 'up',
    program,
    isStillNext: async (tx) => {
      await ledger.create(tx);
      const entries = await ledger.read(tx);
      const { pending, unfinished } = compareHistory(migrations, entries);
      position = (entries.at(-1)?.position ?? 0) + 1;
      return unfinished === undefined && pending[0]?.name === name;
    },
    claim: (tx) => enter(tx, 'applying'),
    record: (tx, took) =>
      program.inTransaction ? enter(tx, 'applied', took) : ledger.finish(tx, name, took.durationMs),
  };
}

function downRun({ ledger, migrations }: Plan, { name, down }: Migration, place: Place): MigrationRun {
  return {
    ...place,
    name,
    direction: 'down',
    program: down!,
    isStillNext: async (tx) => {
      const { applied, unfinished } = compareHistory(migrations, await ledger.read(tx));
      return unfinished === undefined && applied.at(-1)?.name === name;
    },
    claim: (tx) => ledger.begin(tx, name, 'reverting'),
    record: (tx) => ledger.remove(tx, name),
  };
}

/** During a run, and after a failure, `db.health()` says that the schema is not what the code expects. */
async function whileNotReady(db: Database, work: () => Promise<MigrationResult>): Promise<MigrationResult> {
  const { readiness } = servicesOf(db);
  readiness.require(READINESS, () => 'Migrations are running.');
  try {
    const result = await work();
    readiness.require(READINESS, () =>
      result.pending.length === 0 ? undefined : `${result.pending.length} migrations are pending.`,
    );
    return result;
  } catch (error) {
    readiness.require(
      READINESS,
      () => `The migrations failed: ${error instanceof Error ? error.message : String(error)}`,
    );
    throw error;
  }
}

function fault(kind: MigrationFaultKind, message: string, file?: string): MigrationError {
  return new MigrationError([{ kind, message, file }]);
}
