import type { Dialect } from '../sql/index.ts';

/** What a query's mark says it gives: none, `^`, `$`, `!`, `<!`, `*!`, `#`. */
export type Operation = 'many' | 'one' | 'value' | 'affected' | 'returning' | 'each' | 'script';

/** A parameter, as its caller passes it. */
export interface ParameterDefinition {
  /** The property of the caller's object. */
  readonly name: string;
  /** The way from the property to the value: empty for `:job`, `['queue']` for `:job.queue`. */
  readonly path: readonly string[];
  /** True for `in :ids`: the value is an array. */
  readonly isList: boolean;
  /** True when it stands in optional parts only: the parts are left out when it is not given. */
  readonly isOptional: boolean;
  /** What the file says of NULL, where it says something. */
  readonly nullable: boolean | undefined;
  /** The TypeScript type that the file gives it. */
  readonly type: string | undefined;
  /** Where the parameter is first used, in the file's text. */
  readonly offset: number;
}

/** What the file says of one column of the result. */
export interface ColumnMark {
  readonly name: string;
  readonly nullable: boolean | undefined;
  readonly type: string | undefined;
  readonly offset: number;
}

/** A place that takes one of the texts written in the file. */
export interface Choice {
  readonly name: string;
  /** The first is the default. */
  readonly texts: ReadonlyMap<string, string>;
  readonly offset: number;
}

/** A piece of a query's text, in order. */
export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly offset: number }
  | { readonly kind: 'value'; readonly parameter: number }
  | { readonly kind: 'list'; readonly parameter: number; readonly isNegated: boolean }
  | { readonly kind: 'choice'; readonly choice: number }
  | { readonly kind: 'optional'; readonly optional: number; readonly parts: readonly Part[] };

/** When an optional part is in the text. */
export interface OptionalPart {
  /** A property of its own, true or false, for a part without parameters. */
  readonly flag: string | undefined;
  /** Otherwise: the parameters that must all be given, as indexes. */
  readonly parameters: readonly number[];
}

/** One query of a file of SQL. */
export interface QueryDefinition {
  /** As callers write it: `getJobById` for `get_job_by_id` and `get-job-by-id`. */
  readonly name: string;
  readonly operation: Operation;
  /** The dialect that it is for; undefined: for every one that has no variant of its own. */
  readonly dialect: Dialect | undefined;
  readonly parameters: readonly ParameterDefinition[];
  readonly parts: readonly Part[];
  readonly optionals: readonly OptionalPart[];
  readonly choices: readonly Choice[];
  readonly columns: readonly ColumnMark[];
  /** The comment between the name and the statement, without its dashes. */
  readonly documentation: string;
  readonly recordClass: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly cacheMs: number | undefined;
  readonly tags: readonly string[];
  readonly target: 'primary' | 'replica' | undefined;
  /** Where a `?` stands, a placeholder on SQLite and an operator on PostgreSQL. */
  readonly questionMark: number | undefined;
  /** Where the name stands in the file's text. */
  readonly offset: number;
  /** The statement: from where to where in the file's text. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
}
