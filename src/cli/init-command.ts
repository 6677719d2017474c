import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../errors/index.ts';
import type { CommandResult } from './command.ts';
import { starterFiles } from './starter-files.ts';

/**
 * `millpond init [folder]`: a service that works, in an empty folder. Writes everything or nothing, and never
 * over a file that is there.
 */
export async function initCommand(folder: string, version: string): Promise<CommandResult> {
  const files = starterFiles(version);
  const paths = Object.keys(files);
  const taken = paths.filter((path) => existsSync(join(folder, path)));
  if (taken.length > 0)
    throw new UsageError(
      `Nothing was written: ${taken.join(', ')} ${taken.length === 1 ? 'is' : 'are'} there already.`,
    );
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { flag: 'wx' });
  }
  const next = ['npm install', 'npm test', 'npm start', 'npx millpond query listNotes --param limit=5'];
  const text = [...paths.map((path) => `  ${path}`), '', 'Next:', ...next.map((line) => `  ${line}`)];
  return { json: { files: paths, next }, text: text.join('\n') };
}
