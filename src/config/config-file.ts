import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfigModule } from './config-module.ts';
import type { FileContents, FileRequest } from './file-request.ts';
import { EMPTY_LAYER } from './layer.ts';
import { readTextFile } from './text-file.ts';
import { readYamlEntries } from './yaml-sections.ts';

/** Where a configuration file may be, from the working directory. */
const CONFIG_FILES: readonly string[] = [
  'config/database.yaml',
  'config/database.yml',
  'millpond.config.ts',
  'millpond.config.js',
  'millpond.config.mjs',
];

/** Reads the one configuration file of `directory`; none is fine, two are a problem. */
export async function readConfigFile(
  directory: string,
  request: FileRequest,
): Promise<FileContents & { readonly file: string | undefined }> {
  const [file, ...others] = await findFiles(directory);
  const { problems } = request;
  for (const other of others) {
    problems.add({ key: other, source: other }, `is there beside ${file}; keep one configuration file`);
  }
  if (file === undefined) return { file, layer: EMPTY_LAYER, names: [] };
  if (file.startsWith('millpond')) return { file, ...(await readConfigModule(directory, file, request)) };
  const text = (await readTextFile(directory, file, problems)) ?? '';
  // Loaded only if there is a YAML file: many programs have none.
  const { parseYaml } = await import('./yaml-file.ts');
  return { file, ...readYamlEntries(parseYaml(text, file, problems), request) };
}

async function findFiles(directory: string): Promise<string[]> {
  const found = await Promise.all(CONFIG_FILES.map((file) => exists(join(directory, file))));
  return CONFIG_FILES.filter((_, index) => found[index]);
}

/** A file that cannot be examined counts as present, so that reading it reports why. */
async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'ENOENT' && code !== 'ENOTDIR';
  }
}
