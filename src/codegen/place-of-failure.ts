/** What SQLite quotes of the text when it gives no position. */
const QUOTING = [
  /near "([^"]+)": syntax error/,
  /no such column: (\S+)/,
  /no such table: (\S+)/,
  /no such function: (\S+)/,
  /ambiguous column name: (\S+)/,
  /has no column named (\S+)/,
  /wrong number of arguments to function (\w+)/,
  /misuse of aggregate(?: function)?:? (\w+)/,
  /no such collation sequence: (\S+)/,
  /data type of parameter (\$\d+)/,
];

/** Where in a statement's text its engine found a fault; undefined where it does not say. */
export function placeOfFailure(
  error: unknown,
  text: string,
): { readonly start: number; readonly end: number } | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // PostgreSQL counts characters from 1: https://www.postgresql.org/docs/current/protocol-error-fields.html
    const position = Number((cause as { readonly position?: unknown }).position);
    if (position >= 1) return wordAt(text, offsetOfCharacter(text, position - 1));
    for (const pattern of QUOTING) {
      const quoted = pattern.exec(cause.message)?.[1];
      const found = quoted === undefined ? undefined : findWord(text, quoted);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function findWord(text: string, word: string): { readonly start: number; readonly end: number } | undefined {
  // The engine may name a table before a column that is written without one.
  for (const candidate of [word, word.slice(word.lastIndexOf('.') + 1)]) {
    const isWord = /^\w/.test(candidate);
    const escaped = candidate.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    const found = new RegExp(isWord ? `(?<!\\w)${escaped}(?!\\w)` : escaped, 'i').exec(text);
    if (found !== null) return { start: found.index, end: found.index + candidate.length };
  }
  return undefined;
}

function wordAt(text: string, start: number): { readonly start: number; readonly end: number } {
  const word = /^[\w.]+|^./u.exec(text.slice(start, start + 200))?.[0] ?? ' ';
  return { start, end: start + word.length };
}

/** PostgreSQL counts code points, JavaScript UTF-16 units. */
function offsetOfCharacter(text: string, count: number): number {
  let offset = 0;
  for (let index = 0; index < count && offset < text.length; index += 1) {
    offset += text.codePointAt(offset)! > 0xffff ? 2 : 1;
  }
  return offset;
}
