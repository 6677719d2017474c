import { resolveDatabaseConfig } from '../config/index.ts';
import type { Database } from '../database/index.ts';
import { UsageError } from '../errors/index.ts';
import { migrate } from '../migrate/index.ts';
import { checkQueries, generateQueries, type GeneratedQueries, type SchemaSource } from '../queries/index.ts';
import { Changes } from './changes.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { requireDatabase } from './open.ts';
import { reportError } from './report-error.ts';

export interface GenerateFlags {
  /** The folder of SQL files. @default 'sql' */
  readonly folder?: string | undefined;
  /** The module to write. @default queries.ts in the folder */
  readonly out?: string | undefined;
  /** Migrations that make the schema, in a database of its own. @default `init.sql` makes it */
  readonly migrations?: string | undefined;
  /** A PostgreSQL server on which a database is made for this, and dropped afterwards; or `embedded`. */
  readonly server?: string | undefined;
  readonly watch?: boolean | undefined;
}

/** `millpond generate` */
export function generateCommand(context: CommandContext, flags: GenerateFlags): Promise<CommandResult> {
  return once(context, flags, generateQueries, ({ changed }) => (changed ? 'was written' : 'is as it was'));
}

/** `millpond check` */
export function checkCommand(context: CommandContext, flags: GenerateFlags): Promise<CommandResult> {
  return once(context, flags, checkQueries, () => 'is what the SQL and the schema say');
}

/**
 * The same again whenever a `.sql` file of the folders changes, until it is aborted; one run at a time. What
 * is wrong is told, and waited out.
 */
export async function watchQueries(
  run: () => Promise<CommandResult>,
  folders: readonly string[],
  { signal, tell }: { readonly signal: AbortSignal; readonly tell: (text: string) => void },
): Promise<void> {
  // Before the first run: a change meanwhile is not missed. (The watch of node:fs/promises would begin when
  // it is first asked for a change.)
  const changes = new Changes(folders);
  const stop = (): void => changes.close();
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) return;
    do {
      try {
        tell((await run()).text);
      } catch (error) {
        tell(reportError(error).text);
      }
    } while (await changes.next());
  } finally {
    signal.removeEventListener('abort', stop);
    changes.close();
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
    const text = [
      `${file} ${outcome(generated)}: ${queries.length} ${queries.length === 1 ? 'query' : 'queries'}.`,
      ...told,
    ].join('\n');
    return { json: { file, changed, queries, warnings }, text };
  };
  if (flags.watch !== true) return run();
  if (context.json) throw new UsageError('--watch tells of run after run, and --json is one document.');
  await watchQueries(
    run,
    [flags.folder ?? 'sql', ...(flags.migrations === undefined ? [] : [flags.migrations])],
    { signal: context.signal, tell: (text) => console.log(text) },
  );
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
    await requireDatabase({ url });
    const { dialect } = await resolveDatabaseConfig({ given: { url, name: false } });
    return [{ dialect, url }];
  }
  const sqlite: SchemaSource = { dialect: 'sqlite', prepare };
  return server === undefined ? [sqlite] : [sqlite, { dialect: 'postgres', server, prepare }];
}
