import { statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../errors/index.ts';

/**
 * Where a backup goes, as an absolute path.
 * @throws UsageError where it cannot go there, before anything is copied
 */
export function backupTarget(
  path: string,
  { database, overwrite }: { readonly database: string; readonly overwrite: boolean },
): string {
  const target = resolve(path);
  if (target === database) throw new UsageError('A database cannot be backed up onto itself.');
  const folder = dirname(target);
  if (look(folder)?.isDirectory() !== true)
    throw new UsageError(`There is no folder ${folder} for the backup: make it first.`);
  const found = look(target);
  if (found !== undefined && !found.isFile())
    throw new UsageError(`A backup is a file, and ${target} is there already and is none.`);
  if (found === undefined || overwrite) return target;
  throw new UsageError(
    `There is a file at ${target} already. Choose another name, or pass { overwrite: true }.`,
  );
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    // Nothing there, or nothing that can be seen.
    return undefined;
  }
}
