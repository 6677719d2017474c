import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith } from '../../test/fixtures/folder-with.ts';
import { readConfigFile } from './config-file.ts';
import type { FileContents } from './file-request.ts';
import { Problems } from './problems.ts';

async function readIn(folder: string): Promise<FileContents & { file: string | undefined }> {
  const problems = new Problems();
  const request = { name: 'main', dialect: undefined, variables: new Map(), problems };
  const contents = await readConfigFile(folder, request);
  problems.throwIfAny();
  return contents;
}
const EMPTY = { layer: { settings: [], readUrls: [] }, names: [] };

describe('the configuration file', () => {
  it.each([
    ['config/database.yaml', '\uFEFFdatabase:\r\n  sqlite:\r\n    path: a.db\r\n'],
    ['config/database.yml', 'database: { sqlite: { path: a.db } }'],
    ['millpond.config.ts', 'type Url = string;\nexport default { url: "sqlite:a.db" as Url };'],
    ['millpond.config.js', 'export default { url: "sqlite:a.db" };'],
    ['millpond.config.mjs', 'export default { url: "sqlite:a.db" };'],
  ])('may be %s', async (file, text) => {
    const { layer, ...contents } = await readIn(
      await folderWith({ [file]: text, 'package.json': '{"type":"module"}' }),
    );
    expect(layer.url?.url).toBe('sqlite:a.db');
    expect(contents).toEqual({ file, names: ['main'] });
  });

  it('may be missing', async () => {
    expect(await readIn(await folderWith())).toEqual({ file: undefined, ...EMPTY });
    expect(await readIn(await folderWith({ config: 'a file, not a folder' }))).toEqual({
      file: undefined,
      ...EMPTY,
    });
  });

  it('must be one', async () => {
    const yaml = 'config/database.yaml';
    const yml = 'config/database.yml';
    const module = 'millpond.config.ts';
    const folder = await folderWith({ [yaml]: '', [yml]: '', [module]: 'export default {};' });
    await expect(readIn(folder)).rejects.toThrow(
      `${yml} (${yml}): is there beside ${yaml}; keep one configuration file\n` +
        `  - ${module} (${module}): is there beside ${yaml}; keep one configuration file`,
    );
  });

  it('must be a file', async () => {
    const folder = await folderWith();
    await mkdir(join(folder, 'config/database.yaml'), { recursive: true });
    await expect(readIn(folder)).rejects.toThrow(
      'config/database.yaml (config/database.yaml): is not a file',
    );
  });
});
