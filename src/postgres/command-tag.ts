/** What a statement was, as the server says when it is complete: `INSERT 0 3`, `SELECT 2`, `CREATE TABLE`. */
export interface CommandTag {
  /** The words: `INSERT`, `CREATE TABLE`. */
  readonly command: string;
  /** Rows that were changed; 0 for a read. */
  readonly rowsAffected: number;
}

const CHANGING: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE', 'COPY']);

interface CommonTag {
  readonly bytes: Buffer;
  readonly tag: CommandTag;
}

/**
 * Apart from their numbers there are few different ones. These are told apart by length, first and last byte.
 */
const COMMON: ReadonlyMap<number, CommonTag> = new Map(
  ['INSERT 0 1', 'UPDATE 1', 'DELETE 1', 'SELECT 1', 'SELECT 0', 'BEGIN', 'COMMIT'].map((text) => {
    const bytes = Buffer.from(text);
    return [keyOf(bytes, 0, bytes.length), { bytes, tag: parse(text) }];
  }),
);

/** Of the text from `start` to `end`. Making a string of it would cost more than all the rest. */
export function readCommandTag(buffer: Buffer, start: number, end: number): CommandTag {
  const common = COMMON.get(keyOf(buffer, start, end));
  if (common !== undefined && isAt(buffer, start, common.bytes)) return common.tag;
  return parse(buffer.toString('latin1', start, end));
}

function keyOf(buffer: Buffer, start: number, end: number): number {
  return ((end - start) << 16) | (buffer[start]! << 8) | buffer[end - 1]!;
}

function isAt(buffer: Buffer, start: number, bytes: Buffer): boolean {
  for (let index = 0; index < bytes.length; index += 1) {
    if (buffer[start + index] !== bytes[index]) return false;
  }
  return true;
}

function parse(text: string): CommandTag {
  const words = text.split(' ');
  const command = words.filter((word) => !/^\d+$/.test(word)).join(' ');
  const count = Number(words.at(-1));
  return { command, rowsAffected: CHANGING.has(command) && Number.isInteger(count) ? count : 0 };
}
