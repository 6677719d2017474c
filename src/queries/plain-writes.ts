import { splitScript } from '../sqlfile/index.ts';
import type { QueryDatabase } from './query-database.ts';

/** A longer script is run without a look at each of its statements. */
const MOST_STATEMENTS = 50;

/** The statements of a script that does nothing but write rows; undefined for any other. */
export async function plainWrites(db: QueryDatabase, script: string): Promise<readonly string[] | undefined> {
  const statements = splitScript(script);
  if (statements.length === 0 || statements.length > MOST_STATEMENTS) return undefined;
  for (const text of statements) {
    if (!(await isPlainWrite(db, text))) return undefined;
  }
  return statements;
}

/** False too for what cannot be described: what an earlier statement of the script makes is not there yet. */
async function isPlainWrite(db: QueryDatabase, text: string): Promise<boolean> {
  try {
    const { writes, tablesWritten, columns } = await db.describe(text);
    return writes && tablesWritten.length > 0 && columns.length === 0;
  } catch {
    return false;
  }
}
