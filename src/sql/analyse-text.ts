import { UsageError } from '../errors/index.ts';
import type { Dialect } from './dialect.ts';
import { scanPlaceholders, type Placeholder } from './scan-placeholders.ts';
import { TextCache } from './text-cache.ts';

/** A longer text is data written into SQL, and reading it holds up the event loop: 6 to 25 ms per million. */
const LONGEST_TEXT = 4_000_000;

/** What one dialect makes of one text. */
export interface AnalysedText {
  /** The text as it was given. */
  readonly source: string;
  readonly placeholders: readonly Placeholder[];
  /** The names of `:name` placeholders, each once, in the order of their first use. */
  readonly names: readonly string[];
  /** The text with `?1` or `$1` for the first name, and so on; a name used again keeps its number. */
  readonly numbered: string;
  /** How many values the positional placeholders ask for. */
  readonly positions: number;
  /** The first placeholder that is refused, as written. */
  readonly foreign: string | undefined;
}

const CACHES = { sqlite: new TextCache<AnalysedText>(), postgres: new TextCache<AnalysedText>() } as const;

/** Reads a text, or remembers having read it. */
export function analyseText(text: string, dialect: Dialect): AnalysedText {
  const cache = CACHES[dialect];
  const known = cache.get(text);
  if (known !== undefined) return known;
  checkLength(text.length);
  checkText(text);
  const analysed = analyse(text, dialect);
  cache.set(text, analysed);
  return analysed;
}

/** True when the text has a place for a value. */
export function hasPlaceholders(text: string, dialect: Dialect): boolean {
  return analyseText(text, dialect).placeholders.length > 0;
}

/**
 * Refuses what an engine would not read as it is written.
 * @throws UsageError
 */
export function checkText(text: string): void {
  // SQLite ends the text at a NUL and says nothing of the rest: https://sqlite.org/c3ref/prepare.html
  const nul = text.indexOf('\0');
  if (nul !== -1) {
    throw new UsageError(`The SQL text has a NUL character at index ${nul}; what follows would be ignored.`);
  }
  if (!text.isWellFormed()) {
    throw new UsageError(
      'The SQL text has half a surrogate pair; it would reach the engine as another character.',
    );
  }
}

/** @throws UsageError */
export function checkLength(length: number): void {
  if (length <= LONGEST_TEXT) return;
  throw new UsageError(
    `An SQL text has at most ${LONGEST_TEXT} characters, not ${length}: bind the data as values.`,
  );
}

function analyse(source: string, dialect: Dialect): AnalysedText {
  const placeholders = scanPlaceholders(source, dialect);
  const foreign = placeholders.find(({ kind }) => kind === 'foreign');
  return {
    source,
    placeholders,
    ...numberNames(source, placeholders, dialect === 'sqlite' ? '?' : '$'),
    positions: countPositions(source, placeholders),
    foreign: foreign === undefined ? undefined : source.slice(foreign.start, foreign.end),
  };
}

function numberNames(source: string, placeholders: readonly Placeholder[], sign: string) {
  const numbers = new Map<string, number>();
  let numbered = '';
  let written = 0;
  for (const { kind, start, end } of placeholders) {
    if (kind !== 'named') continue;
    const name = source.slice(start + 1, end);
    const number = numbers.get(name) ?? numbers.size + 1;
    numbers.set(name, number);
    numbered += `${source.slice(written, start)}${sign}${number}`;
    written = end;
  }
  return { names: [...numbers.keys()], numbered: numbered + source.slice(written) };
}

/** SQLite numbers a `?` one above the highest before it: https://sqlite.org/lang_expr.html#parameters */
function countPositions(source: string, placeholders: readonly Placeholder[]): number {
  let highest = 0;
  for (const { kind, start, end } of placeholders) {
    if (kind === 'next') highest += 1;
    if (kind === 'numbered') highest = Math.max(highest, Number(source.slice(start + 1, end)));
  }
  return highest;
}
