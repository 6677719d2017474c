import { UsageError } from '../errors/index.ts';
import { kindOf } from './describe.ts';

/**
 * A piece of SQL with its values kept apart from its text: a whole statement, or a fragment of one.
 * `strings[i]` stands before `values[i]`; a value that is itself an `Sql` is a fragment, any other is bound.
 * Immutable, so a fragment may be used many times. Made by the {@link sql} tag.
 */
export class Sql {
  readonly strings: readonly string[];
  readonly values: readonly unknown[];

  constructor(strings: readonly string[], values: readonly unknown[]) {
    if (strings.length !== values.length + 1) {
      throw new UsageError(
        `An Sql has one string more than values, not ${strings.length} for ${values.length}.`,
      );
    }
    this.strings = strings;
    this.values = values;
  }
}

/** The `sql` tag, and the fragments that are more than a value. */
export interface SqlTag {
  /** A statement or a fragment. Values are bound, never part of the text; fragments become part of it. */
  (strings: TemplateStringsArray, ...values: readonly unknown[]): Sql;
  /**
   * A quoted name: `sql.id('users')`, `sql.id('app', 'users')`. Safe with any name, also one from a request.
   * @throws UsageError for an empty name, NUL, or a lone surrogate, which no engine can hold.
   */
  id(...parts: readonly [name: string, ...more: string[]]): Sql;
  /**
   * Values or fragments with a separator between them: `where id in (${sql.join(ids)})`. Empty without items.
   * @param separator a fragment. @default sql`, `
   */
  join(items: readonly unknown[], separator?: Sql): Sql;
  /**
   * **Dangerous**: the text becomes SQL as it is. Anyone who can put a character into it can read, change and
   * delete everything. Only for text that the program itself wrote: for names there is `sql.id`, for values
   * `${…}`.
   */
  raw(text: string): Sql;
  /** An empty fragment, for a part that is sometimes absent. */
  readonly empty: Sql;
}

/** Writes SQL: `` sql`select * from users where id = ${id}` ``. */
export const sql: SqlTag = Object.assign(tag, { id, join, raw, empty: new Sql([''], []) });

function tag(strings: TemplateStringsArray, ...values: readonly unknown[]): Sql {
  // Only what a template literal passes has `raw`: `sql(text)` would take a request's text for SQL.
  if (strings?.raw === undefined) {
    throw new UsageError('sql is a tag: write sql`select …` with backticks and without parentheses.');
  }
  return new Sql(strings, values);
}

function id(...parts: readonly string[]): Sql {
  if (parts.length === 0) throw new UsageError('sql.id needs a name.');
  return new Sql([parts.map(quoted).join('.')], []);
}

function quoted(name: unknown): string {
  if (typeof name !== 'string') throw new UsageError(`sql.id needs a string, not ${kindOf(name)}.`);
  if (name === '') throw new UsageError('sql.id was given an empty name.');
  if (name.includes('\0')) throw new UsageError('sql.id was given a name with a NUL character.');
  if (!name.isWellFormed()) throw new UsageError('sql.id was given a name with half a surrogate pair.');
  return `"${name.replaceAll('"', '""')}"`;
}

const COMMA = new Sql([', '], []);

function join(items: readonly unknown[], separator: Sql = COMMA): Sql {
  if (!Array.isArray(items)) throw new UsageError(`sql.join needs an array, not ${kindOf(items)}.`);
  if (!(separator instanceof Sql)) {
    throw new UsageError(
      `sql.join needs a fragment as its separator, such as sql\` and \`, not ${kindOf(separator)}.`,
    );
  }
  if (items.length === 0) return sql.empty;
  const [text] = separator.strings;
  // A separator is nearly always text alone; then it stands between the items without fragments of its own.
  if (separator.values.length === 0) {
    return new Sql(['', ...items.slice(1).map(() => text!), ''], items.slice());
  }
  const values = items.flatMap((item: unknown, index) => (index === 0 ? [item] : [separator, item]));
  return new Sql(
    Array.from({ length: values.length + 1 }, () => ''),
    values,
  );
}

function raw(text: string): Sql {
  if (typeof text !== 'string') throw new UsageError(`sql.raw needs a string, not ${kindOf(text)}.`);
  return new Sql([text], []);
}
