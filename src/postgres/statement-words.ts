import { UsageError } from '../errors/index.ts';
import {
  isWordStart,
  pastComment,
  pastDollarQuote,
  pastEscapeString,
  pastQuoted,
  pastWord,
} from '../sql/index.ts';

/** Words that begin or end a transaction. Inside a procedure the server itself refuses them. */
const CONTROL: ReadonlySet<string> = new Set([
  'begin',
  'start',
  'commit',
  'end',
  'rollback',
  'abort',
  'savepoint',
  'release',
]);

/** The keyword with which a text begins, in lower case; empty where it holds no statement. */
export function leadingWord(text: string): string {
  for (const word of topLevelWords(text)) if (word !== ';') return word;
  return '';
}

/** All words outside quotes and comments, in lower case. */
export function wordsOf(text: string): readonly string[] {
  return [...topLevelWords(text)];
}

/**
 * Others share the connection, or rely on the transaction that is open on it.
 * @throws UsageError where a statement of the text controls transactions
 */
export function assertNoTransactionControl(text: string): void {
  let isFirst = true;
  let previous = '';
  let depth = 0;
  for (const word of topLevelWords(text)) {
    if (depth === 0 && isFirst && word !== ';' && isControl(word)) throw controlError(word);
    if (depth === 0 && previous === 'prepare' && word === 'transaction') throw controlError('prepare');
    // The body of an SQL function: its statements are not the script's.
    if (previous === 'begin' && word === 'atomic') depth = 1;
    else if (depth > 0 && word === 'case') depth += 1;
    else if (depth > 0 && word === 'end') depth -= 1;
    if (word === ';') isFirst = true;
    else isFirst = false;
    previous = word;
  }
}

function isControl(word: string): boolean {
  return CONTROL.has(word);
}

function controlError(word: string): UsageError {
  return new UsageError(
    `${word.toUpperCase()} is not sent as SQL: the transaction is kept track of. Use db.transaction(…) or ` +
      'db.begin().',
  );
}

/** The words outside quotes and comments, in lower case, and the semicolons between statements. */
function* topLevelWords(text: string): Generator<string> {
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (isWordStart(code)) {
      const end = pastWord(text, at);
      const word = text.slice(at, end).toLowerCase();
      // A lone E before a quote begins a string in which a backslash hides the quote after it.
      if (word === 'e' && text[end] === "'") at = pastEscapeString(text, end);
      else {
        yield word;
        at = end;
      }
    } else {
      if (text[at] === ';') yield ';';
      at = pastOther(text, at);
    }
  }
}

function pastOther(text: string, at: number): number {
  switch (text[at]) {
    case "'":
    case '"':
      return pastQuoted(text, at, text[at]);
    case '-':
    case '/':
      return pastComment(text, at, 'postgres');
    case '$':
      return pastDollarQuote(text, at);
    default:
      return at + 1;
  }
}
