import { watch } from 'node:fs/promises';
import { resolveDatabaseConfig } from '../config/index.ts';
import type { Database } from '../database/index.ts';
import { UsageError } from '../errors/index.ts';
import { migrate } from '../migrate/index.ts';
import { checkQueries, generateQueries, type GeneratedQueries, type SchemaSource } from '../queries/index.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { reportError } from './report-error.ts';

export interface GenerateFlags {
  /** The folder of SQL files. @default 'sql' */
  readonly folder?: string | undefined;
  /** The module to write. @default queries.ts in the folder */
  readonly out?: string | undefined;
  /** Migrations that make the schema, in a database of its own. @default `init.sql` makes it */
  readonly migrations?: string | undefined;
  /** A PostgreSQL server on which a database is made for this, and dropped afterwards. */
  readonly server?: string | undefined;
  readonly watch?: boolean | undefined;
}

/** Between a change and the run: an editor writes a file in several steps. */
const SETTLE_MS = 100;

/** `millpond generate` */
export function generateCommand(context: CommandContext, flags: GenerateFlags): Promise<CommandResult> {
  return once(context, flags, generateQueries, ({ changed }) => (changed ? 'was written' : 'is as it was'));
}

/** `millpond check` */
export function checkCommand(context: CommandContext, flags: GenerateFlags): Promise<CommandResult> {
  return once(context, flags, checkQueries, () => 'is what the SQL and the schema say');
}

/**
 * The same again whenever a file of the folder changes, until Ctrl-C. What is wrong is told, and waited out.
 */
export async function watchQueries(
  run: () => Promise<CommandResult>,
  folder: string,
  { signal, tell }: { readonly signal: AbortSignal; readonly tell: (text: string) => void },
): Promise<void> {
  const runOnce = async (): Promise<void> => {
    try {
      tell((await run()).text);
    } catch (error) {
      tell(reportError(error).text);
    }
  };
  // Before the first run: a change meanwhile must not be missed.
  const changes = watch(folder, { recursive: true, signal });
  await runOnce();
  let timer: NodeJS.Timeout | undefined;
  try {
    for await (const { filename } of changes) {
      if (filename?.endsWith('.sql') !== true) continue;
      clearTimeout(timer);
      timer = setTimeout(() => void runOnce(), SETTLE_MS);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function once(
  context: CommandContext,
  flags: GenerateFlags,
  work: typeof generateQueries,
  outcome: (generated: GeneratedQueries) => string,
): Promise<CommandResult> {
  const run = async (): Promise<CommandResult> => {
    const options = { sql: flags.folder, out: flags.out, schemas: await schemasOf(context, flags) };
    const generated = await work(options);
    const { file, queries, warnings, changed } = generated;
    const told = warnings.map((one) => `${one.file}:${one.line}:${one.column}: warning: ${one.message}`);
    const text = [`${file} ${outcome(generated)}: ${queries.length} queries.`, ...told].join('\n');
    return { json: { file, changed, queries, warnings }, text };
  };
  if (flags.watch !== true) return run();
  if (context.json) throw new UsageError('--watch tells of run after run, and --json is one document.');
  await watchQueries(run, flags.folder ?? 'sql', {
    signal: context.signal,
    tell: (text) => console.log(text),
  });
  return { json: {}, text: '' };
}

/** A database that is there, a server for one that is made, or SQLite in memory. */
async function schemasOf({ url }: CommandContext, flags: GenerateFlags): Promise<SchemaSource[]> {
  const { migrations: folder, server } = flags;
  const prepare =
    folder === undefined
      ? undefined
      : async (db: Database): Promise<void> => void (await migrate(db, { folder }));
  if (url !== undefined && (server !== undefined || folder !== undefined)) {
    throw new UsageError(
      '--url is a database with its schema; --server and --migrations make one. Not both.',
    );
  }
  if (url !== undefined) {
    const { dialect } = await resolveDatabaseConfig({ given: { url, name: false } });
    return [{ dialect, url }];
  }
  const sqlite: SchemaSource = { dialect: 'sqlite', prepare };
  return server === undefined ? [sqlite] : [sqlite, { dialect: 'postgres', server, prepare }];
}
