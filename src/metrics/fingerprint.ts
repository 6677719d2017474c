import { createHash } from 'node:crypto';
import {
  isDigit,
  isWordStart,
  pastComment,
  pastDollarQuote,
  pastEscapeString,
  pastQuoted,
  pastWord,
  type Dialect,
} from '../sql/index.ts';

/** What a statement is, whatever its values: the same for `id = 1` and `id = ?`. */
export interface Fingerprint {
  /** Twelve hexadecimal digits, the same in every process. */
  readonly id: string;
  /** The text with its literals as `?`, without comments, on one line; at most 2,000 characters. */
  readonly text: string;
}

const LONGEST_TEXT = 2_000;
const ID_DIGITS = 12;
const BLANKS = ' \t\n\r\f\v';
/** Joined without a blank on their left, or on their right. */
const TIGHT_LEFT = new Set([',', ')', ';', '.', '::', '[', ']']);
const TIGHT_RIGHT = new Set(['(', '.', '::', '[']);
/** What operators of several characters go on with: `>=`, `||`, `->>`. */
const OPERATOR_REST = '<>=|!';
/** Words that a parenthesis does not belong to; behind others it is a call's, or a list of columns. */
const KEYWORDS = new Set(
  (
    'all and any as between by case check conflict cross distinct else except exists from having if in ' +
    'inner intersect into is join left like limit not offset on or order over returning right select set ' +
    'some then union using values when where with'
  ).split(' '),
);

/** Normalises a text: literals and placeholders become `?`, lists of them one `?`, words lower case. */
export function fingerprintOf(sql: string, dialect: Dialect): Fingerprint {
  const text = render(collapseLists(tokensOf(sql, dialect)));
  const id = createHash('sha256').update(text).digest('hex').slice(0, ID_DIGITS);
  return { id, text: text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text };
}

/** The words, signs and `?` of a text, one after another. */
function tokensOf(sql: string, dialect: Dialect): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < sql.length;) {
    const { token, end } = tokenAt(sql, at, dialect);
    if (token !== '') tokens.push(token);
    at = end;
  }
  return tokens;
}

interface Token {
  /** Empty for what says nothing: blanks and comments. */
  readonly token: string;
  readonly end: number;
}

function tokenAt(sql: string, at: number, dialect: Dialect): Token {
  const character = sql[at]!;
  if (BLANKS.includes(character)) return { token: '', end: at + 1 };
  if (character === '-' || character === '/') {
    const end = pastComment(sql, at, dialect);
    return end === at + 1 ? operatorAt(sql, at) : { token: '', end };
  }
  if (character === "'") return { token: '?', end: pastQuoted(sql, at, "'") };
  if (character === '"' || character === '`') return quotedName(sql, at, character);
  if (character === '[' && dialect === 'sqlite') return quotedName(sql, at, ']');
  const code = sql.charCodeAt(at);
  if (isWordStart(code)) return wordAt(sql, at, dialect);
  if (isDigit(code) || (character === '.' && isDigit(sql.charCodeAt(at + 1)))) {
    return { token: '?', end: pastNumber(sql, at) };
  }
  return signAt(sql, at, dialect);
}

function quotedName(sql: string, at: number, closing: string): Token {
  const end = pastQuoted(sql, at, closing);
  return { token: sql.slice(at, end), end };
}

function wordAt(sql: string, at: number, dialect: Dialect): Token {
  const end = pastWord(sql, at);
  const word = sql.slice(at, end).toLowerCase();
  if (sql[end] !== "'") return { token: word, end };
  // x'00' is a literal in both engines, e'…' and b'…' in PostgreSQL.
  if (dialect === 'postgres' && word === 'e') return { token: '?', end: pastEscapeString(sql, end) };
  if (word === 'x' || (dialect === 'postgres' && (word === 'b' || word === 'n'))) {
    return { token: '?', end: pastQuoted(sql, end, "'") };
  }
  return { token: word, end };
}

/** A number with its exponent: `1e-5`, `0xff`, `1_000`. */
function pastNumber(sql: string, at: number): number {
  let end = at;
  while (end < sql.length) {
    const next = pastWord(sql, end);
    const isExponent = /[eE]/.test(sql[next - 1] ?? '') && /[+-]/.test(sql[next] ?? '');
    if (next === end && sql[end] !== '.') return end;
    end = sql[next] === '.' || isExponent ? next + 1 : next;
    if (end === next) return end;
  }
  return end;
}

/** A placeholder, a dollar quote, or one character. */
function signAt(sql: string, at: number, dialect: Dialect): Token {
  const character = sql[at]!;
  if (character === '$' && dialect === 'postgres') {
    const end = pastDollarQuote(sql, at);
    if (end > at + 1) return { token: '?', end };
  }
  const next = sql.charCodeAt(at + 1);
  if (character === ':' && sql[at + 1] === ':') return { token: '::', end: at + 2 };
  if ('?$'.includes(character) || (':@'.includes(character) && isWordStart(next))) {
    return { token: '?', end: pastWord(sql, at + 1) };
  }
  return operatorAt(sql, at);
}

function operatorAt(sql: string, at: number): Token {
  let end = at + 1;
  if ('<>=!|-'.includes(sql[at]!)) while (end < sql.length && OPERATOR_REST.includes(sql[end]!)) end += 1;
  return { token: sql.slice(at, end), end };
}

/** `in (?, ?)` becomes `in (?)`, and the rows `(?), (?)` of an insert one: their number is a value. */
function collapseLists(tokens: readonly string[]): string[] {
  const out: string[] = [];
  for (const token of tokens) {
    out.push(token);
    if (token === '?' && endsWith(out, ['?', ',', '?'])) out.length -= 2;
    // A doubled quote reads as the end of one string and the beginning of another.
    if (token === '?' && endsWith(out, ['?', '?'])) out.length -= 1;
    if (token === ')' && endsWith(out, ['(', '?', ')', ',', '(', '?', ')'])) out.length -= 4;
  }
  return out;
}

function endsWith(tokens: readonly string[], ending: readonly string[]): boolean {
  const from = tokens.length - ending.length;
  return from >= 0 && ending.every((token, index) => tokens[from + index] === token);
}

function render(tokens: readonly string[]): string {
  let text = '';
  let before = '(';
  for (const token of tokens) {
    const isCall = token === '(' && isWordStart(before.charCodeAt(0)) && !KEYWORDS.has(before);
    const isTight = text === '' || isCall || TIGHT_LEFT.has(token) || TIGHT_RIGHT.has(before);
    text += isTight ? token : ` ${token}`;
    before = token;
  }
  return text.replace(/;$/, '');
}
