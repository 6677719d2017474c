import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problems } from './problems.ts';

const MAX_BYTES = 1_048_576;

/**
 * The text of a configuration file; undefined where there is none. A file that cannot be used is a problem.
 */
export async function readTextFile(
  directory: string,
  file: string,
  problems: Problems,
): Promise<string | undefined> {
  try {
    await using handle = await open(join(directory, file));
    const status = await handle.stat();
    if (!status.isFile()) problems.add({ key: file, source: file }, 'is not a file');
    else if (status.size > MAX_BYTES) problems.add({ key: file, source: file }, 'is larger than 1 MiB');
    else return (await handle.readFile('utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ENOTDIR: `config` in `config/database.yaml` is a file.
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      problems.addCaused({ key: file, source: file }, `cannot be read (${code})`, error);
    }
  }
  return undefined;
}
