import { UsageError } from '../errors/index.ts';

/** What is being done, for a progress bar. Told before each statement, and when a migration has ended. */
export interface MigrationProgress {
  readonly name: string;
  readonly direction: 'up' | 'down';
  /** Counts from 1. */
  readonly index: number;
  /** How many migrations this run began with. */
  readonly count: number;
  /** Statements of this migration that are done. */
  readonly statementsDone: number;
  readonly statements: number;
}

/** Where the migrations are, and where the database keeps their history. */
export interface HistoryOptions {
  /** Of the SQL files, or drizzle-kit's `out`. Relative to the working directory. @default 'migrations' */
  readonly folder?: string | undefined;
  /** The table that keeps the history. @default 'millpond_migrations' */
  readonly table?: string | undefined;
}

export interface LockOptions extends HistoryOptions {
  /** Longest wait for another runner, in milliseconds. 0 = try once. @default 60_000 */
  readonly lockTimeoutMs?: number | undefined;
}

export interface RunOptions extends LockOptions {
  /**
   * Longest time of one migration, in milliseconds; then it is rolled back. 0 = no limit. @default 600_000
   */
  readonly timeoutMs?: number | undefined;
  /** Says what would be done, and does nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** Called before each statement. What it throws ends the run, and rolls the migration back. */
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined;
  /** Aborting rolls back the migration under way and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface MigrateOptions extends RunOptions {
  /** The last migration to apply. @default the last there is */
  readonly to?: string | undefined;
}

export interface RevertOptions extends RunOptions {
  /** How many to undo, the last one first. Not beside `to`. @default 1 */
  readonly count?: number | undefined;
  /** Undoes what was applied after this one, which stays. */
  readonly to?: string | undefined;
}

export interface ResolvedRunOptions {
  readonly folder: string;
  readonly table: string;
  readonly lockTimeoutMs: number;
  readonly timeoutMs: number;
  readonly dryRun: boolean;
  readonly onProgress: ((progress: MigrationProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly to: string | undefined;
  readonly count: number | undefined;
}

const DEFAULTS = {
  folder: 'migrations',
  table: 'millpond_migrations',
  lockTimeoutMs: 60_000,
  timeoutMs: 600_000,
  dryRun: false,
} as const;

const DAY_MS = 86_400_000;
const TABLE = /^[a-z_][a-z0-9_]{0,62}$/;

type Check = (value: unknown) => string | undefined;
const isText: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'must be a string');
const isDuration: Check = (value) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= DAY_MS
    ? undefined
    : `must be a whole number of milliseconds from 0 to ${DAY_MS}`;

const CHECKS: Readonly<Record<keyof ResolvedRunOptions, Check>> = {
  folder: isText,
  table: (value) =>
    TABLE.test(String(value))
      ? undefined
      : 'must be a name of small letters, digits and _ that begins with no digit',
  lockTimeoutMs: isDuration,
  timeoutMs: isDuration,
  dryRun: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  onProgress: (value) => (typeof value === 'function' ? undefined : 'must be a function'),
  signal: (value) => (value instanceof AbortSignal ? undefined : 'must be an AbortSignal'),
  to: isText,
  count: (value) =>
    Number.isInteger(value) && (value as number) >= 1 ? undefined : 'must be a whole number from 1',
};

/** @throws UsageError naming every fault, unknown options included */
export function resolveRunOptions(
  given: MigrateOptions & RevertOptions = {},
  allowed: readonly (keyof ResolvedRunOptions)[],
): ResolvedRunOptions {
  const faults: string[] = [];
  for (const [key, value] of Object.entries(given)) {
    if (!allowed.includes(key as keyof ResolvedRunOptions))
      faults.push(`there is no option "${key}" (there are ${allowed.join(', ')})`);
    else if (value !== undefined) {
      const fault = CHECKS[key as keyof ResolvedRunOptions](value);
      if (fault !== undefined) faults.push(`${key} ${fault}`);
    }
  }
  if (given.to !== undefined && given.count !== undefined) faults.push('to and count exclude each other');
  if (faults.length > 0) throw new UsageError(`The options of a migration are wrong: ${faults.join('; ')}.`);
  return {
    folder: given.folder ?? DEFAULTS.folder,
    table: given.table ?? DEFAULTS.table,
    lockTimeoutMs: given.lockTimeoutMs ?? DEFAULTS.lockTimeoutMs,
    timeoutMs: given.timeoutMs ?? DEFAULTS.timeoutMs,
    dryRun: given.dryRun ?? DEFAULTS.dryRun,
    onProgress: given.onProgress,
    signal: given.signal,
    to: given.to,
    count: given.count,
  };
}
