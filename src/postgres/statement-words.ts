import { UsageError } from '../errors/index.ts';
import { isWordStart, pastToken } from '../sql/index.ts';

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
  for (let at = 0; at < text.length;) {
    const end = pastToken(text, at, 'postgres');
    // Behind the E of an escape string, and nowhere else in what begins like a word, stands a quote.
    const isWord = isWordStart(text.charCodeAt(at)) && text[at + 1] !== "'";
    if (isWord) yield text.slice(at, end).toLowerCase();
    else if (text[at] === ';') yield ';';
    at = end;
  }
}
