/** What a statement was, as the server says when it is complete: `INSERT 0 3`, `SELECT 2`, `CREATE TABLE`. */
export interface CommandTag {
  /** The words: `INSERT`, `CREATE TABLE`. */
  readonly command: string;
  /** Rows that were changed; 0 for a read. */
  readonly rowsAffected: number;
}

const CHANGING: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE', 'COPY']);

/** Those that were seen; there are few different ones but for their numbers. */
const COMMON: ReadonlyMap<string, CommandTag> = new Map(
  ['INSERT 0 1', 'UPDATE 1', 'DELETE 1', 'SELECT 1', 'SELECT 0', 'BEGIN', 'COMMIT'].map((text) => [
    text,
    parse(text),
  ]),
);

export function readCommandTag(text: string): CommandTag {
  return COMMON.get(text) ?? parse(text);
}

function parse(text: string): CommandTag {
  const words = text.split(' ');
  const command = words.filter((word) => !/^\d+$/.test(word)).join(' ');
  const count = Number(words.at(-1));
  return { command, rowsAffected: CHANGING.has(command) && Number.isInteger(count) ? count : 0 };
}
