import { isDigit, isWordPart, isWordStart } from './characters.ts';
import type { Dialect } from './dialect.ts';

// Each function takes the index at which a token begins and returns the index behind it; for a token that is
// never closed that is the end of the text.

/**
 * Whatever begins here: a word, a string, a quoted name, a comment, PostgreSQL's `$1` or dollar quote. All
 * else is one character at a time: blanks, operators, and the digits of numbers.
 */
export function pastToken(text: string, from: number, dialect: Dialect): number {
  if (isWordStart(text.charCodeAt(from))) return pastWordOrString(text, from, dialect);
  const character = text[from];
  switch (character) {
    case "'":
    case '"':
      return pastQuoted(text, from, character);
    case '-':
    case '/':
      return pastComment(text, from, dialect);
    case '`':
      return dialect === 'sqlite' ? pastQuoted(text, from, '`') : from + 1;
    case '[':
      return dialect === 'sqlite' ? pastQuoted(text, from, ']') : from + 1;
    case '$':
      return dialect === 'postgres' ? pastDollar(text, from) : from + 1;
    default:
      return from + 1;
  }
}

/** On PostgreSQL a lone E before a quote begins a string in which a backslash hides the quote after it. */
function pastWordOrString(text: string, from: number, dialect: Dialect): number {
  const end = pastWord(text, from);
  const isEscape =
    dialect === 'postgres' && end === from + 1 && text[end] === "'" && 'eE'.includes(text[from]!);
  return isEscape ? pastEscapeString(text, end) : end;
}

/** A parameter ends with its digits, whatever follows: `$1$a$` is one and the beginning of a dollar quote. */
function pastDollar(text: string, from: number): number {
  const end = pastDigits(text, from + 1);
  return end > from + 1 ? end : pastDollarQuote(text, from);
}

export function pastDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at += 1;
  return at;
}

/** A name, a keyword, or the rest of one. A dollar inside does not begin a dollar quote. */
export function pastWord(text: string, from: number): number {
  let at = from;
  while (isWordPart(text.charCodeAt(at))) at += 1;
  return at;
}

/** A doubled quote needs no care: it reads as the end of one string and the beginning of another. */
export function pastQuoted(text: string, from: number, closing: string): number {
  const end = text.indexOf(closing, from + 1);
  return end === -1 ? text.length : end + 1;
}

/** A comment, or the one character that looked like the beginning of one. */
export function pastComment(text: string, from: number, dialect: Dialect): number {
  if (text.startsWith('--', from)) return pastLine(text, from, dialect);
  if (!text.startsWith('/*', from)) return from + 1;
  if (dialect === 'postgres') return pastNestedComment(text, from);
  const end = text.indexOf('*/', from + 2);
  return end === -1 ? text.length : end + 2;
}

/** PostgreSQL ends the comment at a carriage return, SQLite reads on to the line feed. */
function pastLine(text: string, from: number, dialect: Dialect): number {
  let at = from;
  while (at < text.length && text[at] !== '\n' && !(text[at] === '\r' && dialect === 'postgres')) at += 1;
  return at;
}

function pastNestedComment(text: string, from: number): number {
  let at = from + 2;
  for (let depth = 1; depth > 0 && at < text.length;) {
    if (text[at] === '*' && text[at + 1] === '/') {
      depth -= 1;
      at += 2;
    } else if (text[at] === '/' && text[at + 1] === '*') {
      depth += 1;
      at += 2;
    } else {
      at += 1;
    }
  }
  return at;
}

/** `$$…$$` or `$tag$…$tag$`, or the dollar alone. A tag has no dollar: no search starts over inside one. */
export function pastDollarQuote(text: string, from: number): number {
  let tagEnd = from + 1;
  if (isWordStart(text.charCodeAt(tagEnd))) tagEnd = pastTag(text, tagEnd);
  if (text[tagEnd] !== '$') return from + 1;
  const delimiter = text.slice(from, tagEnd + 1);
  const end = text.indexOf(delimiter, tagEnd + 1);
  return end === -1 ? text.length : end + delimiter.length;
}

function pastTag(text: string, from: number): number {
  let at = from;
  while (text[at] !== '$' && isWordPart(text.charCodeAt(at))) at += 1;
  return at;
}

/**
 * The string behind an E; `from` is its quote. Strings separated by nothing but a line break are one string,
 * with one E.
 */
export function pastEscapeString(text: string, from: number): number {
  let end = pastEscaped(text, from);
  for (let next = continuation(text, end); next !== -1; next = continuation(text, end)) {
    end = pastEscaped(text, next);
  }
  return end;
}

function pastEscaped(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length) {
    if (text[at] === '\\') at += 2;
    else if (text[at] !== "'") at += 1;
    else if (text[at + 1] === "'") at += 2;
    else return at + 1;
  }
  return text.length;
}

/** Where the string goes on behind a line break (blanks and line comments may stand around it), or -1. */
function continuation(text: string, from: number): number {
  let at = from;
  let hasBreak = false;
  while (at < text.length && (' \t\n\r\f\v'.includes(text[at]!) || text.startsWith('--', at))) {
    hasBreak ||= text[at] === '\n' || text[at] === '\r';
    at = text[at] === '-' ? pastLine(text, at, 'postgres') : at + 1;
  }
  return hasBreak && text[at] === "'" ? at : -1;
}
