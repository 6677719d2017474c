import { isWordStart, pastQuoted, pastToken, type Dialect } from '../sql/index.ts';

/** One statement of a text. */
export interface TextPart {
  /** Without the semicolon, from its first word to its last. */
  readonly text: string;
  /** The index of its first character. */
  readonly start: number;
  /** Its first words, in lower case: what it is, for those who must know before the engine is asked. */
  readonly words: readonly string[];
}

export interface Unclosed {
  readonly what: string;
  /** The index where it begins. */
  readonly start: number;
}

export interface SplitText {
  readonly statements: readonly TextPart[];
  /** A string, name or comment that never ends. */
  readonly unclosed: Unclosed | undefined;
}

/** drizzle-kit writes this line between two statements. */
const BREAKPOINT = '--> statement-breakpoint';
const MOST_WORDS = 8;

/**
 * The statements of a text. They are separated by semicolons, except in strings, names, comments, dollar
 * quotes, the body of a trigger (SQLite) or of a function that begins with BEGIN ATOMIC, and in parentheses
 * (PostgreSQL).
 */
export function splitStatements(text: string, dialect: Dialect): SplitText {
  return new Splitter(text, dialect).split();
}

class Splitter {
  readonly #text: string;
  readonly #dialect: Dialect;
  readonly #statements: TextPart[] = [];
  #start = -1;
  #end = -1;
  #words: string[] = [];
  #body: Body;

  constructor(text: string, dialect: Dialect) {
    this.#text = text;
    this.#dialect = dialect;
    this.#body = new Body(dialect);
  }

  split(): SplitText {
    let at = 0;
    while (at < this.#text.length) {
      const end = this.#past(at);
      const what = unclosed(this.#text.slice(at, end), this.#dialect);
      if (what !== undefined) return { statements: this.#statements, unclosed: { what, start: at } };
      this.#take(at, end);
      at = end;
    }
    this.#finish();
    return { statements: this.#statements, unclosed: undefined };
  }

  /** Where the token ends that begins here. A doubled quote is one inside. */
  #past(at: number): number {
    const text = this.#text;
    const quote = text[at]!;
    let end = pastToken(text, at, this.#dialect);
    if (quote !== "'" && quote !== '"' && !(quote === '`' && this.#dialect === 'sqlite')) return end;
    while (text[end] === quote) end = pastQuoted(text, end, quote);
    return end;
  }

  #take(at: number, end: number): void {
    const token = this.#text.slice(at, end);
    if (token.trim() === '') return;
    if (token.startsWith(BREAKPOINT)) return this.#finish();
    if (end - at > 1 && (token.startsWith('--') || token.startsWith('/*'))) return;
    const word = isWordStart(token.charCodeAt(0)) ? token.toLowerCase() : token;
    if (token === ';' && !this.#body.holds(this.#words)) return this.#finish();
    this.#body.note(word, this.#words);
    if (this.#start < 0) this.#start = at;
    this.#end = end;
    if (this.#words.length < MOST_WORDS) this.#words.push(word);
  }

  #finish(): void {
    if (this.#start >= 0) {
      const text = this.#text.slice(this.#start, this.#end);
      this.#statements.push({ text, start: this.#start, words: this.#words });
    }
    this.#start = -1;
    this.#words = [];
    this.#body = new Body(this.#dialect);
  }
}

/** Whether a semicolon belongs to the statement that it stands in. */
class Body {
  readonly #dialect: Dialect;
  #parentheses = 0;
  #blocks = 0;
  /** SQLite's own rule: a trigger ends at "; end ;" https://sqlite.org/c3ref/complete.html */
  #trigger: 'in' | 'after semicolon' | 'ended' = 'in';

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** @param words the first ones of the statement */
  holds(words: readonly string[]): boolean {
    if (this.#dialect === 'postgres') return this.#parentheses > 0 || this.#blocks > 0;
    return createsTrigger(words) && this.#trigger !== 'ended';
  }

  note(word: string, words: readonly string[]): void {
    if (this.#dialect === 'sqlite') {
      if (word === ';') this.#trigger = 'after semicolon';
      else this.#trigger = word === 'end' && this.#trigger === 'after semicolon' ? 'ended' : 'in';
      return;
    }
    if (word === '(') this.#parentheses += 1;
    else if (word === ')') this.#parentheses = Math.max(0, this.#parentheses - 1);
    else if (createsRoutine(words)) this.#noteBlock(word);
  }

  /** As psql does: BEGIN ATOMIC … END, and CASE … END in between. */
  #noteBlock(word: string): void {
    if (word === 'begin' || (word === 'case' && this.#blocks > 0)) this.#blocks += 1;
    else if (word === 'end' && this.#blocks > 0) this.#blocks -= 1;
  }
}

function createsTrigger([first, ...words]: readonly string[]): boolean {
  const [kind] = words.filter((word) => word !== 'temp' && word !== 'temporary');
  return first === 'create' && kind === 'trigger';
}

function createsRoutine([first, ...words]: readonly string[]): boolean {
  const [kind] = words.filter((word) => word !== 'or' && word !== 'replace');
  return first === 'create' && (kind === 'function' || kind === 'procedure');
}

/** @returns what it is that never ends. The tokens of `skip-token.ts` end with the text then. */
function unclosed(token: string, dialect: Dialect): string | undefined {
  const first = token[0]!;
  if (first === "'" || first === '"' || (first === '`' && token.length > 1)) {
    // Quotes inside come in pairs.
    const isClosed = (token.split(first).length - 1) % 2 === 0;
    return isClosed ? undefined : first === "'" ? 'string' : 'name';
  }
  if (first === '[' && token.length > 1) return token.endsWith(']') ? undefined : 'name';
  if (token.startsWith('/*')) return isClosedComment(token, dialect) ? undefined : 'comment';
  if (token[1] === "'") return ESCAPE_STRING.test(token) ? undefined : 'string';
  const tag = first === '$' ? /^\$[^$]*\$/.exec(token)?.[0] : undefined;
  if (tag === undefined) return undefined;
  return token.length >= 2 * tag.length && token.endsWith(tag) ? undefined : 'dollar-quoted string';
}

const ESCAPE_STRING = /^e'(?:[^'\\]|\\.|'')*'$/is;

/** PostgreSQL's comments nest: https://www.postgresql.org/docs/current/sql-syntax-lexical.html */
function isClosedComment(token: string, dialect: Dialect): boolean {
  if (dialect === 'sqlite') return token.length >= 4 && token.endsWith('*/');
  const marks = token.match(/\/\*|\*\//g)!;
  return marks.filter((mark) => mark === '/*').length * 2 === marks.length;
}
