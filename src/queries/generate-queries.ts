import { readFile, rename, writeFile } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import {
  createShapeReader,
  dialectWarnings,
  inferQuery,
  writeModule,
  type QueryTypes,
  type TypedQuery,
} from '../codegen/index.ts';
import { SqlFileError, type SqlFileProblem } from '../errors/index.ts';
import {
  fullName,
  readSqlFolder,
  selectVariants,
  SourceText,
  type SqlFolder,
  type SqlQuery,
  type SqlSource,
} from '../sqlfile/index.ts';
import { openSchema, type SchemaSource } from './open-schema.ts';

export interface GenerateOptions {
  /** The folder, or the file, of SQL. @default 'sql' */
  readonly sql?: string | undefined;
  /** The module to write. @default 'queries.ts' in the folder */
  readonly out?: string | undefined;
  /** What the queries are prepared against, one for each dialect. @default SQLite with `init.sql` */
  readonly schemas?: readonly SchemaSource[] | undefined;
  /** What the module imports millpond from. @default 'millpond/queries' */
  readonly importFrom?: string | undefined;
}

export interface GeneratedQueries {
  /** Where the module is. */
  readonly file: string;
  readonly text: string;
  /** False where the file said the same already. */
  readonly changed: boolean;
  /** Names of the queries in it. */
  readonly queries: readonly string[];
  /** What may be meant otherwise, each with its place. */
  readonly warnings: readonly SqlFileProblem[];
}

/**
 * Prepares every query against real schemas and writes a module with their types. A file that says the same
 * already is left alone; a new one appears when it is complete.
 * @throws SqlFileError listing what the engines and the marks find wrong, each with its place
 */
export async function generateQueries(options: GenerateOptions = {}): Promise<GeneratedQueries> {
  const { file, text, ...rest } = await createModule(options);
  const changed = (await readIfThere(file)) !== text;
  if (changed) {
    const unfinished = `${file}.${process.pid}.tmp`;
    await writeFile(unfinished, text);
    await rename(unfinished, file);
  }
  return { file, text, changed, ...rest };
}

/**
 * For continuous integration: the same, but writes nothing and fails where the module is not what it would
 * be.
 * @throws SqlFileError
 */
export async function checkQueries(options: GenerateOptions = {}): Promise<GeneratedQueries> {
  const created = await createModule(options);
  const there = await readIfThere(created.file);
  if (there !== created.text) throw new SqlFileError([outdated(created.file, there, created.text)]);
  return { ...created, changed: false };
}

async function createModule({
  sql = 'sql',
  out,
  schemas = [{ dialect: 'sqlite' }],
  importFrom,
}: GenerateOptions): Promise<Omit<GeneratedQueries, 'changed'>> {
  const folder = await readSqlFolder(sql);
  const types = new Map<string, QueryTypes[]>();
  const problems: SqlFileProblem[] = [];
  for (const schema of schemas) {
    const found = await inferAll(folder, schema, problems);
    for (const query of found) types.set(query.name, [...(types.get(query.name) ?? []), query]);
  }
  if (problems.length > 0) throw new SqlFileError(withoutRepeats(problems));
  const sources = sourcesOf(folder, sql);
  const typed = typedQueries(folder, schemas, types);
  const queries = typed.map((each) => ({ ...each, file: sources.get(each.query.source)!.file }));
  const file =
    out ?? (sql.endsWith('.sql') ? sql.replace(/\.sql$/, '.ts') : `${sql.replace(/\/+$/, '')}/queries.ts`);
  return {
    file,
    text: writeModule({ queries, sources: inOrder(sources), importFrom }),
    queries: queries.map(({ query }) => fullName(query)).sort(),
    warnings: withoutRepeats([
      ...[...types.values()].flatMap((each) => each.flatMap(({ warnings }) => warnings)),
      ...typed.flatMap(({ query, types: each }) => dialectWarnings(query, each)),
    ]),
  };
}

/**
 * The types of all queries on one dialect. What is wrong with one does not hide what is wrong with another.
 */
async function inferAll(
  folder: SqlFolder,
  schema: SchemaSource,
  problems: SqlFileProblem[],
): Promise<QueryTypes[]> {
  await using opened = await openSchema(schema, folder);
  const reader = createShapeReader(opened.db);
  const found: QueryTypes[] = [];
  for (const { query } of selectVariants(folder.queries, schema.dialect)) {
    if (query === undefined) continue;
    try {
      found.push(await inferQuery(query, schema.dialect, reader));
    } catch (error) {
      if (!(error instanceof SqlFileError)) throw error;
      problems.push(...error.problems);
    }
  }
  return found;
}

/** Each name once, with the definition of the first dialect that has one. */
function typedQueries(
  { queries }: SqlFolder,
  schemas: readonly SchemaSource[],
  types: ReadonlyMap<string, readonly QueryTypes[]>,
): Omit<TypedQuery, 'file'>[] {
  const typed = new Map<string, Omit<TypedQuery, 'file'>>();
  for (const { dialect } of schemas) {
    for (const { name, query } of selectVariants(queries, dialect)) {
      if (query !== undefined && !typed.has(name))
        typed.set(name, { query, types: sameParameters(query, types.get(name)!) });
    }
  }
  return [...typed.values()];
}

/** A variant for another dialect may have its parameters in another order; then the first one's are told. */
function sameParameters({ definition }: SqlQuery, types: readonly QueryTypes[]): readonly QueryTypes[] {
  return types.map((each) =>
    each.parameters.length === definition.parameters.length
      ? each
      : { ...each, parameters: types[0]!.parameters },
  );
}

/** The files with paths as they are from the folder on: the same wherever the project lies. */
function sourcesOf({ queries }: SqlFolder, root: string): Map<SourceText, SqlSource> {
  const sources = new Map<SourceText, SqlSource>();
  for (const { source } of queries) {
    if (sources.has(source)) continue;
    const inside = relative(root, source.file).split(sep);
    const file = inside.join('/') || source.file.slice(source.file.lastIndexOf('/') + 1);
    sources.set(source, { file, folders: inside.slice(0, -1), text: source.text });
  }
  return sources;
}

function inOrder(sources: ReadonlyMap<SourceText, SqlSource>): SqlSource[] {
  return [...sources.values()].sort((one, other) => (one.file < other.file ? -1 : 1));
}

function outdated(file: string, there: string | undefined, wanted: string): SqlFileProblem {
  const hint = 'run "millpond generate"';
  if (there === undefined) return { file, line: 1, column: 1, message: `The file is not there: ${hint}.` };
  let at = 0;
  while (at < there.length && there[at] === wanted[at]) at += 1;
  return new SourceText(file, there).problem(
    `Here the file is not what the SQL and the schema say: ${hint}.`,
    at,
  );
}

function withoutRepeats(problems: readonly SqlFileProblem[]): SqlFileProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ file, line, column, message }) => {
    const key = `${file}:${line}:${column}:${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
