import { loadQueries, type UntypedQueries, type UntypedQuery } from '../queries/index.ts';
import { suggest } from '../config/index.ts';
import { UsageError } from '../errors/index.ts';
import type { CommandContext, CommandResult } from './command.ts';
import { requireDatabase, withDatabase } from './open.ts';
import { textTable } from './text-table.ts';

export interface QueryFlags {
  /** `name=value`; a value that is JSON is taken as that, anything else as text. */
  readonly param?: readonly string[] | undefined;
  /** Of the SQL files. @default 'sql' */
  readonly folder?: string | undefined;
}

/** `millpond query <name>`: runs one named query of the SQL files. */
export async function queryCommand(
  context: CommandContext,
  name: string,
  flags: QueryFlags,
): Promise<CommandResult> {
  const params = readParams(flags.param ?? []);
  await requireDatabase(context);
  return withDatabase(context, async (db) => {
    const queries = await loadQueries(db, flags.folder ?? 'sql', { init: false });
    const query = findQuery(queries, name);
    const result = await query(params, { signal: context.signal });
    return { json: { result: toJson(result) }, text: toText(result) };
  });
}

function findQuery(queries: UntypedQueries, name: string): UntypedQuery {
  const known = namesOf(queries);
  const found = known.get(name);
  if (found !== undefined) return found;
  const meant = suggest(name, [...known.keys()]);
  const hint = meant === undefined ? '' : ` Did you mean "${meant}"?`;
  throw new UsageError(
    `There is no query "${name}".${hint} There are: ${[...known.keys()].sort().join(', ') || 'none'}.`,
  );
}

function namesOf(folder: UntypedQueries, prefix = ''): Map<string, UntypedQuery> {
  const names = new Map<string, UntypedQuery>();
  for (const [name, value] of Object.entries(folder)) {
    if (typeof value === 'function') names.set(prefix + name, value);
    else for (const [inner, query] of namesOf(value, `${prefix}${name}.`)) names.set(inner, query);
  }
  return names;
}

function readParams(given: readonly string[]): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const one of given) {
    const at = one.indexOf('=');
    if (at < 1) throw new UsageError('A parameter is name=value, as in --param id=7 or --param name=Ada.');
    params[one.slice(0, at)] = readValue(one.slice(at + 1));
  }
  return params;
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function toText(result: unknown): string {
  if (result === undefined) return 'No row.';
  if (typeof result !== 'object' || result === null) return `${result as string}`;
  const rows = (Array.isArray(result) ? result : [result]) as Record<string, unknown>[];
  if (rows.length === 0) return 'No rows.';
  const columns = Object.keys(rows[0]!);
  const table = textTable(
    columns,
    rows.map((row) => columns.map((column) => row[column])),
  );
  return Array.isArray(result) ? `${table}\n${rows.length} ${rows.length === 1 ? 'row' : 'rows'}` : table;
}

/** Large integers as text, bytes in base64: JSON has neither. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date || typeof value !== 'object' || value === null) return value ?? null;
  if (Array.isArray(value)) return value.map(toJson);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJson(inner)]));
}
