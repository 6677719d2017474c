import type { SqlFileProblem } from '../errors/index.ts';

/** Columns of a line that an excerpt shows. */
const EXCERPT_WIDTH = 100;
/** Carets under one place. */
const MOST_CARETS = 40;

/** A file's text, and where in it something stands. */
export class SourceText {
  /** As the caller would write the path. */
  readonly file: string;
  /** Without a byte order mark, lines ended by a line feed alone: the same on every system. */
  readonly text: string;
  /** Offsets at which lines begin; made when the first place is asked for. */
  #lineStarts: number[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    const marked = text.startsWith('\uFEFF') ? text.slice(1) : text;
    this.text = marked.includes('\r') ? marked.replaceAll(/\r\n?/g, '\n') : marked;
  }

  /** Line and column of an offset, both from 1. */
  placeOf(offset: number): { readonly line: number; readonly column: number } {
    const starts = (this.#lineStarts ??= lineStartsOf(this.text));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  }

  /** A fault at `text.slice(start, end)`, with its line and a caret. */
  problem(message: string, start: number, end: number = start + 1): SqlFileProblem {
    const { line, column } = this.placeOf(start);
    return { file: this.file, line, column, message, excerpt: this.#excerpt(line, start, end) };
  }

  #excerpt(line: number, start: number, end: number): string {
    const lineStart = this.#lineStarts![line - 1]!;
    const found = this.text.indexOf('\n', lineStart);
    const lineEnd = found === -1 ? this.text.length : found;
    // Of a long line, the part around the place.
    const from = start - lineStart > EXCERPT_WIDTH - MOST_CARETS ? start - MOST_CARETS : lineStart;
    const shown = printable(this.text.slice(from, Math.min(lineEnd, from + EXCERPT_WIDTH)));
    const before = printable(this.text.slice(from, start)).replaceAll(/[^\t]/gu, ' ');
    const covered = Math.min(end, lineEnd) - start;
    const carets = '^'.repeat(Math.max(1, Math.min(covered, MOST_CARETS)));
    const number = String(line);
    return `  ${number} | ${shown}\n  ${' '.repeat(number.length)} | ${before}${carets}`;
  }
}

/** A terminal must show the line, not obey it. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is replaced
  return text.replaceAll(/[\u0000-\u0008\u000A-\u001F\u007F-\u009F\u2028\u2029]/g, '\u00B7');
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
