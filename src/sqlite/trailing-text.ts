/**
 * True when nothing but white space, comments and semicolons stands in `text` from `from` on. SQLite prepares
 * the first statement of a text and leaves the rest, which the driver silently drops.
 */
export function isBlankFrom(text: string, from: number): boolean {
  let at = from;
  while (at < text.length) {
    const char = text[at]!;
    if (char === '-' && text[at + 1] === '-') at = endOf(text, '\n', at + 2);
    else if (char === '/' && text[at + 1] === '*') at = endOf(text, '*/', at + 2);
    else if (char === ';' || char.trim() === '') at += 1;
    else return false;
  }
  return true;
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found + mark.length;
}
