import type { CallOptions } from '../driver/index.ts';
import { SqlFileError, UsageError } from '../errors/index.ts';
import {
  readSqlSources,
  selectVariants,
  type SelectedQuery,
  type SqlFolder,
  type SqlSource,
} from '../sqlfile/index.ts';
import { QueryCaller } from './query-caller.ts';
import type { QueryCache, QueryDatabase } from './query-database.ts';
import type { QueryParams } from './read-params.ts';

/** A query whose types nobody has generated. */
export interface UntypedQuery {
  <Result = unknown>(params?: object, options?: CallOptions): Promise<Result>;
  /** The queries of a folder, where this is one. */
  readonly [name: string]: UntypedQuery;
}

/**
 * Queries by name, those of a folder by the folder's name. `millpond generate` writes a type that says
 * more.
 */
export interface UntypedQueries {
  readonly [name: string]: UntypedQuery;
}

export interface BindOptions {
  /** Answers queries with `-- cache:`. Without one they always ask the database. */
  readonly cache?: QueryCache | undefined;
}

/**
 * The queries of files that a generated module carries with it.
 * @throws SqlFileError
 */
export function bindQueries<Queries extends object = UntypedQueries>(
  db: QueryDatabase,
  sources: readonly SqlSource[],
  options: BindOptions = {},
): Queries {
  return bindFolder(db, readSqlSources(sources), options);
}

/** The queries of a folder that was read, as functions. */
export function bindFolder<Queries extends object>(
  db: QueryDatabase,
  { queries }: SqlFolder,
  { cache }: BindOptions,
): Queries {
  const selected = selectVariants(queries, db.dialect);
  refuseQuestionMarks(selected, db);
  // Without a prototype: a query may be called toString, and a missing one must be undefined.
  const root = Object.create(null) as Record<string, unknown>;
  for (const { name, namespace, query } of selected) {
    let folder = root;
    for (const part of namespace) folder = (folder[part] ??= Object.create(null)) as Record<string, unknown>;
    folder[name.slice(name.lastIndexOf('.') + 1)] =
      query === undefined ? absent(name, db) : callable(new QueryCaller(query, db, cache));
  }
  return deepFreeze(root) as Queries;
}

function callable(caller: QueryCaller): unknown {
  const query = caller.function();
  Object.defineProperty(query, 'name', { value: caller.name });
  const { operation } = caller.query.definition;
  const extras = {
    /** The text as the engine gets it, with everything in it. */
    sql: caller.sql,
    ...(operation === 'many' && {
      stream: (params?: QueryParams, options?: CallOptions) => caller.stream(params, options),
      json: (params?: QueryParams, options?: CallOptions) => caller.json(params, options),
    }),
  };
  return Object.freeze(Object.assign(query, extras));
}

function absent(name: string, { dialect }: QueryDatabase): unknown {
  return () => Promise.reject(new UsageError(`${name}() has no variant for ${dialect}.`));
}

/** SQLite would take them for placeholders and mix them up with the numbered ones. */
function refuseQuestionMarks(selected: readonly SelectedQuery[], { dialect }: QueryDatabase): void {
  if (dialect !== 'sqlite') return;
  const problems = selected.flatMap(({ query }) =>
    query?.definition.questionMark === undefined
      ? []
      : [
          query.source.problem(
            'On SQLite a ? is a placeholder: write :name. (Where it is an operator: -- dialect: postgres.)',
            query.definition.questionMark,
          ),
        ],
  );
  if (problems.length > 0) throw new SqlFileError(problems);
}

function deepFreeze(folder: Record<string, unknown>): object {
  for (const value of Object.values(folder)) {
    if (typeof value === 'object' && value !== null) deepFreeze(value as Record<string, unknown>);
  }
  return Object.freeze(folder);
}
