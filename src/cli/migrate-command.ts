import { servicesOf, type Database } from '../database/index.ts';
import {
  baselineMigrations,
  createMigration,
  migrate,
  migrationStatus,
  resolveMigration,
  revert,
  verifyMigrations,
  type MigrationProgress,
  type MigrationResult,
  type MigrationStatus,
} from '../migrate/index.ts';
import { UsageError } from '../errors/index.ts';
import { ExitCode, type CommandContext, type CommandResult } from './command.ts';
import { withDatabase } from './open.ts';
import { confirm, startProgress } from './progress.ts';
import { textTable } from './text-table.ts';

export interface MigrateFlags {
  readonly folder?: string | undefined;
  readonly table?: string | undefined;
  readonly to?: string | undefined;
  readonly count?: number | undefined;
  readonly dryRun?: boolean | undefined;
  readonly lockTimeout?: number | undefined;
  readonly yes?: boolean | undefined;
}

/** `millpond migrate up` */
export function migrateUp(context: CommandContext, flags: MigrateFlags): Promise<CommandResult> {
  return withMigrations(context, async (db) => {
    const options = await runOptions(db, context, flags);
    const result = await options.finish(migrate(db, { ...options.run, to: flags.to }));
    return resultOf(result, flags.dryRun === true ? 'would be applied' : 'applied');
  });
}

/** `millpond migrate down` */
export function migrateDown(context: CommandContext, flags: MigrateFlags): Promise<CommandResult> {
  return withMigrations(context, async (db) => {
    const { to, count, dryRun, yes } = flags;
    const folder = folderOf(db, flags);
    const plan = await revert(db, { folder, table: flags.table, to, count, dryRun: true });
    if (dryRun === true) return resultOf(plan, 'would be undone');
    const names = plan.done.map(({ name }) => name).join(', ');
    const isMeant =
      yes === true || plan.done.length === 0 || (await confirm(context.isTty, `Undo ${names}?`));
    if (!isMeant) return { json: { done: [], pending: plan.pending }, text: 'Nothing was undone.' };
    const options = await runOptions(db, context, flags);
    return resultOf(await options.finish(revert(db, { ...options.run, to, count })), 'undone');
  });
}

/** `millpond migrate status` */
export function migrateStatus(context: CommandContext, flags: MigrateFlags): Promise<CommandResult> {
  return withMigrations(context, async (db) => {
    const status = await migrationStatus(db, { folder: folderOf(db, flags), table: flags.table });
    return {
      json: status,
      text: describeStatus(status),
      exitCode: status.isCurrent ? ExitCode.ok : ExitCode.failed,
    };
  });
}

/** `millpond migrate verify` */
export function migrateVerify(context: CommandContext, flags: MigrateFlags): Promise<CommandResult> {
  return withMigrations(context, async (db) => {
    const status = await verifyMigrations(db, { folder: folderOf(db, flags), table: flags.table });
    const { applied, pending } = status;
    const text = `The folder fits the history: ${applied.length} applied, ${pending.length} pending.`;
    return { json: { applied: applied.map(({ name }) => name), pending }, text };
  });
}

/** `millpond migrate baseline [name]` */
export function migrateBaseline(context: CommandContext, flags: MigrateFlags): Promise<CommandResult> {
  return withMigrations(context, async (db) => {
    const { table, to, lockTimeout: lockTimeoutMs } = flags;
    const entered = await baselineMigrations(db, { folder: folderOf(db, flags), table, to, lockTimeoutMs });
    return {
      json: { entered },
      text: `Entered into the history without being run: ${entered.length} migrations.`,
    };
  });
}

/** `millpond migrate resolve <name> --applied | --not-applied` */
export function migrateResolve(
  context: CommandContext,
  name: string,
  flags: MigrateFlags & { readonly applied?: boolean; readonly notApplied?: boolean },
): Promise<CommandResult> {
  const { applied = false, notApplied = false } = flags;
  if (applied === notApplied) throw new UsageError('Say what you found: --applied or --not-applied.');
  const as = applied ? 'applied' : 'not-applied';
  return withMigrations(context, async (db) => {
    await resolveMigration(db, { name, as, folder: folderOf(db, flags), table: flags.table });
    return { json: { name, as }, text: `${name}: ${as}.` };
  });
}

/** `millpond migrate new <words>` */
export async function migrateNew(
  name: string,
  flags: { folder?: string; down?: boolean },
): Promise<CommandResult> {
  const files = await createMigration({ folder: flags.folder, name, down: flags.down });
  return { json: { files }, text: files.join('\n') };
}

/** A migration has its own limit, and one without a transaction takes as long as it takes. */
function withMigrations<T>(context: CommandContext, work: (db: Database) => Promise<T>): Promise<T> {
  return withDatabase(context, work, { queryTimeoutMs: 0 });
}

/** What the flag says, then the configuration, then the default of `migrate`. */
function folderOf(db: Database, { folder }: MigrateFlags): string | undefined {
  return folder ?? servicesOf(db).config.migrationsFolder;
}

async function runOptions(
  db: Database,
  { isTty, signal }: CommandContext,
  flags: MigrateFlags,
): Promise<{
  readonly run: object;
  finish(run: Promise<MigrationResult>): Promise<MigrationResult>;
}> {
  const { table, dryRun, lockTimeout: lockTimeoutMs } = flags;
  const bar = await startProgress(isTty && dryRun !== true, 100, 'Migrations');
  const onProgress = ({ name, index, count, statementsDone, statements }: MigrationProgress): void =>
    bar.show(
      Math.floor((100 * (index - 1 + statementsDone / statements)) / count),
      `${index}/${count} ${name}`,
    );
  return {
    run: { folder: folderOf(db, flags), table, dryRun, lockTimeoutMs, signal, onProgress },
    finish: async (run) => {
      try {
        const result = await run;
        bar.end('Done');
        return result;
      } catch (error) {
        bar.end('Stopped');
        throw error;
      }
    },
  };
}

function resultOf({ done, pending }: MigrationResult, verb: string): CommandResult {
  const lines = done.map(({ name, durationMs }) =>
    durationMs === undefined ? name : `${name} (${durationMs} ms)`,
  );
  const count = done.length === 1 ? '1 migration' : `${done.length} migrations`;
  const text = [`${count} ${verb}.`, ...lines.map((line) => `  ${line}`)];
  return { json: { done, pending }, text: text.join('\n') };
}

function describeStatus({ applied, pending, unfinished, faults }: MigrationStatus): string {
  const rows = [
    ...applied.map(({ name, finishedAt, durationMs }) => [name, 'applied', finishedAt, durationMs]),
    ...(unfinished === undefined
      ? []
      : [[unfinished.name, `left while ${unfinished.state}`, unfinished.startedAt, null]]),
    ...pending.map((name) => [name, 'pending', null, null]),
  ];
  const table = rows.length === 0 ? 'No migrations.' : textTable(['migration', 'state', 'at', 'ms'], rows);
  const wrong = faults.map(({ file, line, column, message }) => {
    const place = [file, line, column].filter((part) => part !== undefined).join(':');
    return place === '' ? message : `${place}: ${message}`;
  });
  return [table, ...(wrong.length === 0 ? [] : ['', ...wrong])].join('\n');
}
