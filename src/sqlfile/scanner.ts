/**
 * The kinds of pieces of SQL that a file's structure depends on. `positional` is `?` or `$1`; a `parameter`
 * is `:name` or `:name.property`; `symbol` is any other character.
 */
export type TokenKind =
  | 'line-comment'
  | 'block-comment'
  | 'word'
  | 'quoted'
  | 'parameter'
  | 'positional'
  | 'semicolon'
  | 'symbol';

/** Why a text cannot be read further; `start` is where the unclosed thing begins. */
export interface OpenToken {
  readonly what: string;
  readonly start: number;
}

/** Both engines take every character outside ASCII for a letter. */
const WORD = tableOf('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789$');

/**
 * Reads SQL for SQLite and PostgreSQL at once, token by token: a file is split into queries before it is
 * known which of them will run it. Where the two read a text differently, PostgreSQL's reading is taken,
 * because SQLite has no such syntax (dollar quotes, E strings); SQLite's `[name]` is not recognized as a
 * quoted name. Reads each character a fixed number of times.
 *
 * One object is moved along instead of making one for each token: files are read at start.
 */
export class Scanner {
  readonly text: string;
  kind: TokenKind = 'symbol';
  start = 0;
  end = 0;
  /** Set where something is opened and never closed; the token then reaches to the end. */
  open: OpenToken | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Moves to the next token behind `end`. @returns false at the end of the text */
  next(): boolean {
    const { text } = this;
    let at = this.end;
    let code = text.charCodeAt(at);
    while (code === 32 || (code >= 9 && code <= 13)) code = text.charCodeAt((at += 1));
    this.start = at;
    if (at >= text.length) {
      this.end = at;
      return false;
    }
    if (isWord(code)) this.#word(at, code);
    else this.#other(at, code);
    return true;
  }

  #is(kind: TokenKind, end: number): void {
    this.kind = kind;
    this.end = end;
  }

  #word(at: number, code: number): void {
    if (code === 36 /* $ */) return this.#dollar(at);
    const end = pastWord(this.text, at);
    // A lone E before a quote begins a string in which a backslash hides the quote after it.
    const isEscape = end === at + 1 && (code | 32) === 101 && this.text.charCodeAt(end) === 39;
    if (isEscape) this.#escapeString(end);
    else this.#is('word', end);
  }

  #other(at: number, code: number): void {
    switch (code) {
      case 39: // '
      case 34: // "
      case 96: // `
        return this.#quoted(at, code);
      case 45: // -
        return this.text.charCodeAt(at + 1) === 45 ? this.#line(at) : this.#is('symbol', at + 1);
      case 47: // /
        return this.text.charCodeAt(at + 1) === 42 ? this.#block(at) : this.#is('symbol', at + 1);
      case 58: // :
        return this.#colon(at);
      case 59: // ;
        return this.#is('semicolon', at + 1);
      case 63: // ?
        return this.#questionMark(at);
      default:
        this.#is('symbol', at + 1);
    }
  }

  /** A doubled quote needs no care: it reads as the end of one string and the beginning of another. */
  #quoted(at: number, code: number): void {
    const quote = code === 39 ? "'" : code === 34 ? '"' : '`';
    const found = this.text.indexOf(quote, at + 1);
    if (found === -1) this.#unclosed(code === 39 ? 'string' : 'quoted name', at);
    this.#is('quoted', found === -1 ? this.text.length : found + 1);
  }

  #escapeString(quote: number): void {
    const { text } = this;
    let at = quote + 1;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === 92 || (code === 39 && text.charCodeAt(at + 1) === 39)) at += 1;
      else if (code === 39) return this.#is('quoted', at + 1);
    }
    this.#unclosed('string', quote);
    this.#is('quoted', text.length);
  }

  #line(at: number): void {
    const found = this.text.indexOf('\n', at);
    this.#is('line-comment', found === -1 ? this.text.length : found);
  }

  #block(at: number): void {
    const found = this.text.indexOf('*/', at + 2);
    if (found === -1) this.#unclosed('comment', at);
    this.#is('block-comment', found === -1 ? this.text.length : found + 2);
  }

  /** `$1`, `$$…$$`, `$tag$…$tag$`, or SQLite's `$name`, which is left to the engine's refusal. */
  #dollar(at: number): void {
    const { text } = this;
    const first = text.charCodeAt(at + 1);
    if (isDigit(first)) return this.#is('positional', pastWord(text, at + 1));
    let tagEnd = at + 1;
    while (isWord(text.charCodeAt(tagEnd)) && text.charCodeAt(tagEnd) !== 36) tagEnd += 1;
    if (text.charCodeAt(tagEnd) !== 36) return this.#is('symbol', at + 1);
    const delimiter = text.slice(at, tagEnd + 1);
    const found = text.indexOf(delimiter, tagEnd + 1);
    if (found === -1) this.#unclosed(`text quoted by ${delimiter.slice(0, 32)}`, at);
    this.#is('quoted', found === -1 ? text.length : found + delimiter.length);
  }

  #colon(at: number): void {
    const { text } = this;
    const next = text.charCodeAt(at + 1);
    if (next === 58 || next === 61) return this.#is('symbol', at + 2);
    // Directly behind an operand it is the colon of an array slice, days[first:last], or of
    // json_object('a':b).
    if (!isWordStart(next) || endsOperand(text, at - 1)) return this.#is('symbol', at + 1);
    let end = pastName(text, at + 1);
    while (text.charCodeAt(end) === 46 && isWordStart(text.charCodeAt(end + 1)))
      end = pastName(text, end + 1);
    this.#is('parameter', end);
  }

  #questionMark(at: number): void {
    let end = at + 1;
    while (isDigit(this.text.charCodeAt(end))) end += 1;
    this.#is('positional', end);
  }

  #unclosed(what: string, start: number): void {
    this.open ??= { what, start };
  }
}

function isWord(code: number): boolean {
  return code < 128 ? WORD[code] === 1 : code >= 128;
}

function isWordStart(code: number): boolean {
  return isWord(code) && !isDigit(code) && code !== 36;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function pastWord(text: string, from: number): number {
  let at = from;
  while (isWord(text.charCodeAt(at))) at += 1;
  return at;
}

/** A parameter's name has no dollar: PostgreSQL would read on, SQLite not. */
function pastName(text: string, from: number): number {
  let at = from;
  while (isWord(text.charCodeAt(at)) && text.charCodeAt(at) !== 36) at += 1;
  return at;
}

function endsOperand(text: string, at: number): boolean {
  return at >= 0 && (isWord(text.charCodeAt(at)) || `)]"'\``.includes(text[at]!));
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
