import { systemClock } from '../async/index.ts';
import { servicesOf, type Database } from '../database/index.ts';
import type { CallOptions, Queryable } from '../driver/index.ts';
import { MigrationError, OutcomeUnknownError } from '../errors/index.ts';
import type { Transaction } from '../transaction/index.ts';
import { inStep } from './in-step.ts';
import type { Ledger } from './ledger.ts';
import type { MigrationProgress, ResolvedRunOptions } from './migrate-options.ts';
import type { MigrationProgram, MigrationStatement } from './migration.ts';

/** One migration, one way, with what it does to the history. */
export interface MigrationRun {
  readonly name: string;
  readonly direction: 'up' | 'down';
  readonly program: MigrationProgram;
  /** Counts from 1. */
  readonly index: number;
  readonly count: number;
  /**
   * Asked under the lock: false where the history is no longer what the run was planned for, so that it must
   * be planned again.
   */
  isStillNext(tx: Transaction): Promise<boolean>;
  /** Enters the end into the history, in the transaction that the statements ran in. */
  record(tx: Transaction, took: { readonly startedAt: string; readonly durationMs: number }): Promise<void>;
  /** Enters the beginning, for a run without a transaction. */
  claim(tx: Transaction): Promise<void>;
}

export interface RunParts {
  readonly db: Database;
  readonly ledger: Ledger;
  readonly options: ResolvedRunOptions;
}

const SHOWN_VIOLATIONS = 5;

/** @returns how long it took, in milliseconds; undefined where another runner was faster */
export async function runMigration(parts: RunParts, run: MigrationRun): Promise<number | undefined> {
  const { announce } = servicesOf(parts.db);
  const { name: migration, direction } = run;
  const startedAt = systemClock.now();
  let announced = false;
  const onStart = (): void => {
    announced = true;
    announce.emit('migration:start', { migration, direction });
  };
  const durationMs = (): number => Math.round(systemClock.now() - startedAt);
  try {
    const wasNext = await (run.program.inTransaction ? runInTransaction : runAlone)(parts, run, onStart);
    if (announced) announce.emit('migration:end', { migration, direction, durationMs: durationMs() });
    return wasNext ? durationMs() : undefined;
  } catch (error) {
    if (announced) announce.emit('migration:end', { migration, direction, durationMs: durationMs(), error });
    throw error;
  }
}

/** The statements and the line of the history: both or neither. */
async function runInTransaction(parts: RunParts, run: MigrationRun, onStart: () => void): Promise<boolean> {
  const { db, options } = parts;
  let isRunning = false;
  try {
    return await inStep(db, { ...options, foreignKeys: !run.program.withoutForeignKeys }, async (tx) => {
      if (!(await run.isStillNext(tx))) return false;
      isRunning = true;
      onStart();
      const [startedAt, begun] = [new Date().toISOString(), systemClock.now()];
      await runStatements(parts, run, (text, timeoutMs) => tx.script(text, { timeoutMs, name: run.name }));
      if (run.program.withoutForeignKeys) await checkForeignKeys(parts, run.program.file, tx);
      await run.record(tx, { startedAt, durationMs: Math.round(systemClock.now() - begun) });
      return true;
    });
  } catch (error) {
    if (!isRunning || error instanceof MigrationError || options.signal?.aborted === true) throw error;
    throw endedError(run, error);
  }
}

/**
 * The beginning is entered first, so that everybody who comes later sees a run that ended halfway; the end is
 * entered last.
 */
async function runAlone(parts: RunParts, run: MigrationRun, onStart: () => void): Promise<boolean> {
  const { db, ledger, options } = parts;
  const step = { ...options, foreignKeys: true };
  const begun = systemClock.now();
  const claimed = await inStep(db, step, async (tx) => {
    if (!(await run.isStillNext(tx))) return false;
    await run.claim(tx);
    return true;
  });
  if (!claimed) return false;
  onStart();
  const startedAt = new Date().toISOString();
  try {
    await outsideTransaction(parts, run);
  } catch (error) {
    // If even this fails, the entry stays as it is: it says less, but blocks just the same.
    await ledger.markFailed(db, run.name).catch(() => undefined);
    throw error;
  }
  const durationMs = Math.round(systemClock.now() - begun);
  await inStep(db, step, (tx) => run.record(tx, { startedAt, durationMs }));
  return true;
}

/** PostgreSQL commits writes of many callers together; on a connection of its own each statement is alone. */
async function outsideTransaction(parts: RunParts, run: MigrationRun): Promise<void> {
  const { db, options } = parts;
  const runOn = (queryable: Queryable, limit: (timeoutMs: number) => CallOptions): Promise<void> =>
    runStatements(parts, run, async (text, timeoutMs) => {
      await queryable.run(text, [], { ...limit(timeoutMs), name: run.name, signal: options.signal });
    });
  if (db.dialect === 'sqlite') return runOn(db, (timeoutMs) => ({ timeoutMs }));
  // A limit of the call would put the statement into a transaction, for SET LOCAL: the database's own has to
  // do.
  await using lease = await db.acquire({ name: `migration ${run.name}`, signal: options.signal });
  await runOn(lease.connection, () => ({}));
}

async function runStatements(
  { options }: RunParts,
  { name, direction, index, count, program }: MigrationRun,
  execute: (text: string, timeoutMs: number) => Promise<void>,
): Promise<void> {
  const tell = (statementsDone: number): void => {
    const progress: MigrationProgress = {
      name,
      direction,
      index,
      count,
      statementsDone,
      statements: program.statements.length,
    };
    options.onProgress?.(progress);
  };
  for (const [done, statement] of program.statements.entries()) {
    tell(done);
    options.signal?.throwIfAborted();
    try {
      await execute(statement.text, options.timeoutMs);
    } catch (error) {
      throw options.signal?.aborted === true ? error : failedError(program, statement, error);
    }
  }
  tell(program.statements.length);
}

/** Step 10 of https://sqlite.org/lang_altertable.html#otheralter */
async function checkForeignKeys({ db }: RunParts, file: string, tx: Transaction): Promise<void> {
  const { config } = servicesOf(db);
  if (config.dialect !== 'sqlite' || !config.sqlite.foreignKeys) return;
  const violations = await tx.all<{ table: string; parent: string }>('pragma foreign_key_check');
  if (violations.length === 0) return;
  const pairs = new Set(violations.map(({ table, parent }) => `${table} → ${parent}`));
  const shown = [...pairs].slice(0, SHOWN_VIOLATIONS).join(', ');
  const message =
    `behind it ${violations.length} rows refer to rows that are not there (${shown}). It was rolled back. ` +
    '"pragma foreign_key_check" lists them, if they were there before';
  throw new MigrationError([{ kind: 'failed', file, message }]);
}

function failedError(
  program: MigrationProgram,
  statement: MigrationStatement,
  cause: unknown,
): MigrationError {
  const outcome = program.inTransaction
    ? 'The migration was rolled back: nothing of it is left.'
    : 'What stands above it in the file has happened, and nobody goes on until you have put it right: ' +
      'see "millpond migrate resolve".';
  const { line, column } = statement;
  const message = `${messageOf(cause)} ${outcome}`;
  return new MigrationError([{ kind: 'failed', file: program.file, line, column, message }], { cause });
}

/** What ended the transaction as a whole: its limit, a lost connection, COMMIT. */
function endedError({ program: { file } }: MigrationRun, cause: unknown): MigrationError {
  const outcome =
    cause instanceof OutcomeUnknownError
      ? 'Run the migrations again: the history says whether it was committed.'
      : 'The migration was rolled back: nothing of it is left.';
  return new MigrationError([{ kind: 'failed', file, message: `${messageOf(cause)} ${outcome}` }], { cause });
}

function messageOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
