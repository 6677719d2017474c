import { describe, expect, it } from 'vitest';
import { folderWith } from '../../test/fixtures/folder-with.ts';
import { readConfigModule } from './config-module.ts';
import type { Layer } from './layer.ts';
import { Problems } from './problems.ts';

const FILE = 'millpond.config.ts';

async function readModule(
  text: string,
  name: string = 'main',
): Promise<Layer & { names: readonly string[] }> {
  const problems = new Problems();
  const request = { name, dialect: undefined, variables: new Map(), problems };
  const { layer, names } = await readConfigModule(await folderWith({ [FILE]: text }), FILE, request);
  problems.throwIfAny();
  return { ...layer, names };
}

describe('millpond.config.ts', () => {
  it('gives the options of main', async () => {
    const layer = await readModule('type N = number;\nexport default { url: "a.db", pool: { max: 3 as N }};');
    expect(layer.url).toEqual({ url: 'a.db', key: 'url', source: FILE });
    expect(layer.settings).toEqual([{ option: 'pool.max', value: 3, key: 'pool.max', source: FILE }]);
    expect(layer.names).toEqual(['main']);
  });

  it('J2 gives those of several databases by name', async () => {
    const text = 'export default { databases: { main: { url: "a.db" }, analytics: { url: "b.db" } } };';
    const analytics = await readModule(text, 'analytics');
    expect(analytics.url).toEqual({ url: 'b.db', key: 'databases.analytics.url', source: FILE });
    expect(analytics.names).toEqual(['main', 'analytics']);
    expect((await readModule(text, 'other')).url).toBeUndefined();
  });

  it('says nothing about another database where it has the options of one', async () => {
    expect((await readModule('export default { url: "a.db" };', 'analytics')).url).toBeUndefined();
  });

  it.each([
    ['export const config = {};', 'has no default export'],
    ['export default 7;', 'millpond.config.ts (millpond.config.ts): is 7; allowed: an object with options'],
    ['export default { name: "main" };', 'name (millpond.config.ts): is not an option'],
    [
      'export default { databases: { main: {}, other: { pol: {} } } };',
      'databases.other.pol (millpond.config.ts): is not an option; did you mean pool?',
    ],
    ['export default { databases: { main: 7 } };', 'databases.main (millpond.config.ts): is 7; allowed'],
    ['export default { databases: [] };', 'databases (millpond.config.ts): is no object'],
    ['export default { databases: {}, pool: {} };', 'pool (millpond.config.ts): is beside databases'],
    [
      'throw new Error("no postgres://app:CANARY@db/main");',
      'cannot be loaded: Error: no postgres://app:***@db/main',
    ],
    ['throw new Error("no user CANARY@db");', 'cannot be loaded: Error: no user ***'],
  ])('is refused: %s', async (text, message) => {
    const reading = readModule(text);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.not.toThrow('CANARY');
  });

  it('that is not a module is refused', async () => {
    await expect(readModule('export default {')).rejects.toThrow(`${FILE} (${FILE}): cannot be loaded: `);
  });

  it('keeps the error that its code threw as the cause', async () => {
    const reading = readModule('throw new RangeError("of the file’s own");');
    await expect(reading).rejects.toMatchObject({ cause: { name: 'RangeError' } });
  });
});
