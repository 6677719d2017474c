import { UsageError } from '../errors/index.ts';
import { analyseText } from './analyse-text.ts';
import { compileTemplate } from './compile-template.ts';
import { compileText } from './compile-text.ts';
import { kindOf } from './describe.ts';
import type { Dialect } from './dialect.ts';
import { Sql } from './sql.ts';

/**
 * Parameters of a text: values in the order of `?` or `$1`, or an object with an own property per `:name`
 * (`object`, because an interface is not assignable to a record).
 */
export type Params = readonly unknown[] | object;

/** A statement as an engine takes it: positional placeholders of its own kind, and a value for each. */
export interface CompiledSql {
  readonly text: string;
  readonly params: readonly unknown[];
}

/**
 * A query as the engine takes it. What was learnt about a template or a text is kept for its next use.
 * @throws UsageError when text and values do not fit; it names parameters, and never tells a value.
 */
export function compile(query: string | Sql, params: Params | undefined, dialect: Dialect): CompiledSql {
  if (typeof query === 'string') return compileText(query, params, dialect);
  if (!(query instanceof Sql)) {
    throw new UsageError(`A query is a string or an sql\`…\` template, not ${kindOf(query)}.`);
  }
  if (params !== undefined) {
    throw new UsageError(
      'An sql`…` template carries its values: put them into the template, not into parameters.',
    );
  }
  return compileTemplate(query, dialect);
}

/** A text as the engine takes it, before there are values. */
export interface PlaceholderList {
  readonly text: string;
  /** By position; empty where the placeholders have no names. */
  readonly names: readonly string[];
}

/** Like `compile`, for a text that is described and not run. @throws UsageError */
export function describePlaceholders(text: string, dialect: Dialect): PlaceholderList {
  const { names, positions, numbered } = analyseText(text, dialect);
  // On PostgreSQL a text with $1 may have the bounds of an array slice in it: days[:last].
  return names.length === 0 || positions > 0 ? { text, names: [] } : { text: numbered, names };
}
