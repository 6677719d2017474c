import { UsageError } from '../errors/index.ts';
import { analyseText, checkLength } from './analyse-text.ts';
import { checkCount, isBindable, unbindable } from './check-value.ts';
import type { CompiledSql } from './compile.ts';
import type { Dialect } from './dialect.ts';
import { Sql } from './sql.ts';

/** Most strings that are put together: stops fragments that each hold another one twice, and so on. */
const MOST_PIECES = 1_000_000;

/**
 * A template's text, by the array of its strings, which is the same object for as long as the program runs.
 */
const TEXTS = { sqlite: new WeakMap<object, string>(), postgres: new WeakMap<object, string>() } as const;

/** A template whose holes hold values, not fragments, has the same text each time. */
export function compileTemplate(query: Sql, dialect: Dialect): CompiledSql {
  const isFlat = hasValuesOnly(query.values);
  const known = isFlat ? TEXTS[dialect].get(query.strings) : undefined;
  if (known !== undefined) return { text: known, params: query.values };
  const rendered = render(query, dialect);
  const text = checkPlaces(rendered, dialect);
  // Only what cannot change may be recognized by its identity; a template literal's strings are frozen.
  if (isFlat && Object.isFrozen(query.strings)) TEXTS[dialect].set(query.strings, text);
  return { text, params: rendered.params };
}

function hasValuesOnly(values: readonly unknown[]): boolean {
  for (let index = 0; index < values.length; index += 1) {
    if (!isBindable(values[index])) return refuseUnlessFragment(values[index], index);
  }
  return true;
}

function refuseUnlessFragment(value: unknown, index: number): false {
  if (value instanceof Sql) return false;
  throw unbindable(`Value ${index + 1} of the sql template`, value);
}

interface Rendered {
  readonly text: string;
  readonly params: readonly unknown[];
  /** Where each value's placeholder stands: start and end, one after the other. */
  readonly places: readonly number[];
}

/** With a stack of its own: fragments may be nested deeper than functions can call each other. */
function render(query: Sql, dialect: Dialect): Rendered {
  const params: unknown[] = [];
  const places: number[] = [];
  const open = [{ query, next: 0 }];
  let text = '';
  for (let pieces = 1; open.length > 0; pieces += 1) {
    if (pieces > MOST_PIECES) throw new UsageError(`The sql template has more than ${MOST_PIECES} pieces.`);
    const fragment = open.at(-1)!;
    const { strings, values } = fragment.query;
    const index = fragment.next++;
    const value = values[index];
    text += cooked(strings[index]);
    checkLength(text.length);
    if (index === values.length) {
      open.pop();
    } else if (value instanceof Sql) {
      open.push({ query: value, next: 0 });
    } else {
      if (!isBindable(value)) throw unbindable(`Value ${params.length + 1} of the sql template`, value);
      params.push(value);
      places.push(text.length);
      text += dialect === 'sqlite' ? '?' : `$${params.length}`;
      places.push(text.length);
    }
  }
  checkCount(params.length);
  return { text, params, places };
}

/** JavaScript gives undefined for a string whose escapes it cannot read, such as `\u` without digits. */
function cooked(string: unknown): string {
  if (typeof string === 'string') return string;
  throw new UsageError('The sql template has a backslash that begins no valid escape: double the backslash.');
}

/**
 * Every value must be one to the engine: in quotes it would be text, and a `?` of the template's own would
 * take a value's place. Gives the text as it is kept, whose hash is known.
 */
function checkPlaces({ text, places }: Rendered, dialect: Dialect): string {
  const { source, placeholders } = analyseText(text, dialect);
  let value = 0;
  for (const { kind, start, end } of placeholders) {
    // Harmless where the engine has no such placeholder: the bound of an array slice.
    if (dialect === 'postgres' && kind === 'named') continue;
    const place = places[2 * value] ?? Infinity;
    if (start === place && end === places[2 * value + 1]) value += 1;
    else if (start < place) throw strayPlaceholder(text.slice(start, Math.min(end, start + 64)));
    else break;
  }
  if (2 * value < places.length) throw valueOutOfPlace(value + 1);
  return source;
}

function strayPlaceholder(written: string): UsageError {
  return new UsageError(
    `The sql template has a placeholder of its own, ${written}: put the value there as \${…}.`,
  );
}

function valueOutOfPlace(value: number): UsageError {
  return new UsageError(
    `Value ${value} of the sql template stands where none can: in quotes or a comment, or touching a word.`,
  );
}
