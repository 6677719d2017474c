import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FileContents, FileRequest } from './file-request.ts';
import { isPlainObject, readOptionsObject } from './given-options.ts';
import { EMPTY_LAYER, type Layer } from './layer.ts';
import { maskUrl } from './mask-url.ts';
import type { Problems } from './problems.ts';

/**
 * Loads `millpond.config.ts` (or .js, .mjs) and takes one database's options. Every database's options are
 * checked.
 */
export async function readConfigModule(
  directory: string,
  file: string,
  request: FileRequest,
): Promise<FileContents> {
  const config = await load(join(directory, file), file, request.problems);
  if (config === undefined) return { layer: EMPTY_LAYER, names: [] };
  if (!isPlainObject(config) || !('databases' in config)) {
    const layer = readOptionsObject(config, { source: file, prefix: '', takesName: false }, request.problems);
    return { layer: request.name === 'main' ? layer : EMPTY_LAYER, names: ['main'] };
  }
  return readDatabases(config, file, request);
}

function readDatabases(
  config: Readonly<Record<string, unknown>>,
  file: string,
  request: FileRequest,
): FileContents {
  const { problems, name } = request;
  const { databases, ...others } = config;
  for (const key of Object.keys(others)) {
    problems.add({ key, source: file }, 'is beside databases; put it into the database that it is for');
  }
  if (!isPlainObject(databases)) {
    problems.add(
      { key: 'databases', source: file },
      'is no object; allowed: an object with the options of each database by its name',
    );
    return { layer: EMPTY_LAYER, names: [] };
  }
  const layers = new Map<string, Layer>();
  for (const [key, options] of Object.entries(databases)) {
    layers.set(
      key,
      readOptionsObject(options, { source: file, prefix: `databases.${key}.`, takesName: false }, problems),
    );
  }
  return { layer: layers.get(name) ?? EMPTY_LAYER, names: [...layers.keys()] };
}

async function load(path: string, file: string, problems: Problems): Promise<unknown> {
  try {
    const { default: config } = (await import(pathToFileURL(path).href)) as { default?: unknown };
    if (config === undefined)
      problems.add(
        { key: file, source: file },
        'has no default export; write export default defineConfig({ … })',
      );
    return config;
  } catch (error) {
    problems.addCaused({ key: file, source: file }, `cannot be loaded: ${describe(error)}`, error);
    return undefined;
  }
}

/** The first line of an error that the file's own code threw, with every address in it masked. */
function describe(error: unknown): string {
  const [line = ''] = String(error).split('\n', 1);
  return line.replaceAll(/\S*(?::\/\/|@)\S*/g, maskUrl).slice(0, 300);
}
