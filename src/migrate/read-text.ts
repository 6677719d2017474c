import { createHash } from 'node:crypto';
import { lstat, readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Faults } from './migration-faults.ts';

/**
 * More than anyone writes by hand. Data in such amounts is loaded with `copyIn` or `saveMany`, not migrated.
 */
const MAX_FILE_BYTES = 16 * 1_024 ** 2;

/**
 * The text of a file in the folder, with line feeds alone and no byte order mark.
 * @returns undefined, and a fault, where it cannot be taken
 */
export async function readText(folder: string, name: string, faults: Faults): Promise<string | undefined> {
  const file = join(folder, name);
  const fault = await findFault(folder, file);
  if (fault !== undefined) {
    faults.add('file', fault, { file });
    return undefined;
  }
  try {
    return toText(await readFile(file));
  } catch (error) {
    faults.add('file', (error as Error).message, { file });
    return undefined;
  }
}

/** Of the text as `readText` gives it: an editor or git that changes line endings changes no migration. */
export function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function findFault(folder: string, file: string): Promise<string | undefined> {
  try {
    const [base, target] = await Promise.all([realpath(folder), realpath(file)]);
    if (!target.startsWith(base.endsWith(sep) ? base : base + sep))
      return 'it is a link to a file outside of the folder';
    const status = await lstat(target);
    if (!status.isFile()) return 'it is no file';
    if (status.size > MAX_FILE_BYTES)
      return `it has ${status.size} bytes; allowed: ${MAX_FILE_BYTES}. Load data by other means`;
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? 'unknown error'})`;
  }
}

function toText(bytes: Uint8Array): string {
  let text: string;
  try {
    // The decoder takes the byte order mark away.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('it is not UTF-8');
  }
  if (text.includes('\0')) throw new Error(`it has a NUL character at index ${text.indexOf('\0')}`);
  return text.replaceAll(/\r\n?/g, '\n');
}
