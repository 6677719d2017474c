/** Deeper ones cannot be: https://www.postgresql.org/docs/current/runtime-config-preset.html (MAXDIM) */
const MAX_DEPTH = 6;

/**
 * The elements of an array in the server's text form, nested for each dimension:
 * https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function readArray(text: string, element: (text: string) => unknown): unknown[] {
  // Bounds that do not begin at 1 stand before: [0:2]={1,2,3}
  const open = text.indexOf('{');
  const scan: Scan = { text, at: open + 1, element };
  return readLevel(scan, 1);
}

interface Scan {
  readonly text: string;
  at: number;
  readonly element: (text: string) => unknown;
}

function readLevel(scan: Scan, depth: number): unknown[] {
  if (depth > MAX_DEPTH) throw new Error('BUG: an array of more dimensions than there can be');
  const items: unknown[] = [];
  while (scan.at < scan.text.length) {
    const next = scan.text[scan.at];
    if (next === '}') {
      scan.at += 1;
      return items;
    }
    if (next === ',') scan.at += 1;
    else if (next === '{') {
      scan.at += 1;
      items.push(readLevel(scan, depth + 1));
    } else items.push(next === '"' ? readQuoted(scan) : readPlain(scan));
  }
  return items;
}

function readQuoted(scan: Scan): unknown {
  const { text } = scan;
  let value = '';
  let at = scan.at + 1;
  while (text[at] !== '"') {
    if (text[at] === '\\') at += 1;
    value += text[at];
    at += 1;
  }
  scan.at = at + 1;
  return scan.element(value);
}

function readPlain(scan: Scan): unknown {
  const { text } = scan;
  let end = scan.at;
  while (text[end] !== ',' && text[end] !== '}') end += 1;
  const value = text.slice(scan.at, end);
  scan.at = end;
  return value === 'NULL' ? null : scan.element(value);
}
