import { isDigit, isWordPart, isWordStart } from './characters.ts';
import type { Dialect } from './dialect.ts';
import { pastDigits, pastToken, pastWord } from './skip-token.ts';

/** A place for a value: `text.slice(start, end)`. */
export interface Placeholder {
  /**
   * `named` is `:name`; `next` is SQLite's `?`; `numbered` is `?1` on SQLite and `$1` on PostgreSQL;
   * `foreign` is one that SQLite would take too, but that means something else elsewhere: `@a`, `$a`, `:1`.
   */
  readonly kind: 'named' | 'next' | 'numbered' | 'foreign';
  readonly start: number;
  readonly end: number;
}

/**
 * The placeholders of a text, in order. Follows the engine's own lexer in what is a string, a quoted name or
 * a comment. Reads each character a fixed number of times, and never fails: faults are for the engine to
 * report.
 * - https://sqlite.org/src/file/src/tokenize.c
 * - https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export function scanPlaceholders(text: string, dialect: Dialect): Placeholder[] {
  const found: Placeholder[] = [];
  const past = dialect === 'sqlite' ? pastSqliteToken : pastPostgresToken;
  let at = 0;
  while (at < text.length) at = past(text, at, found);
  return found;
}

function pastSqliteToken(text: string, at: number, found: Placeholder[]): number {
  switch (text[at]) {
    case '?':
      return pastQuestionMark(text, at, found);
    case ':':
    case '@':
    case '$':
      return pastSqliteVariable(text, at, found);
    default:
      return pastToken(text, at, 'sqlite');
  }
}

function pastQuestionMark(text: string, at: number, found: Placeholder[]): number {
  const end = pastDigits(text, at + 1);
  found.push({ kind: end > at + 1 ? 'numbered' : 'next', start: at, end });
  return end;
}

function pastSqliteVariable(text: string, at: number, found: Placeholder[]): number {
  if (text.startsWith('::', at)) return at + 2;
  const first = text.charCodeAt(at + 1);
  if (!isWordPart(first)) return at + 1;
  const end = pastWord(text, at + 1);
  found.push({ kind: text[at] === ':' && isWordStart(first) ? 'named' : 'foreign', start: at, end });
  return end;
}

function pastPostgresToken(text: string, at: number, found: Placeholder[]): number {
  if (text[at] === ':') return pastPostgresColon(text, at, found);
  const end = pastToken(text, at, 'postgres');
  if (text[at] === '$' && isDigit(text.charCodeAt(at + 1))) {
    found.push({ kind: 'numbered', start: at, end });
  }
  return end;
}

function pastPostgresColon(text: string, at: number, found: Placeholder[]): number {
  if (text.startsWith('::', at)) return at + 2;
  // Directly behind an operand it is the colon of an array slice, days[first:last], or of json_object('a':b).
  if (!isWordStart(text.charCodeAt(at + 1)) || endsOperand(text, at - 1)) return at + 1;
  const end = pastWord(text, at + 1);
  found.push({ kind: 'named', start: at, end });
  return end;
}

function endsOperand(text: string, at: number): boolean {
  return isWordPart(text.charCodeAt(at)) || (at >= 0 && `)]"'`.includes(text[at]!));
}
