import { mkdirSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { readDoor, toMarkdown } from '../../../scripts/api-reference/read-door.ts';
import { scratchPath } from '../../fixtures/scratch-database.ts';

/** Declarations as the compiler writes them. */
function emitted(files: Readonly<Record<string, string>>): URL {
  const folder = `${scratchPath()}-declarations`;
  mkdirSync(`${folder}/inner`, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text);
  return pathToFileURL(`${folder}/index.d.ts`);
}

const INNER = `import type { Other } from './other.ts';
/** Not for anybody. */
export declare const hidden = 1;
/**
 * Opens it.
 * @throws TypeError
 */
export declare function open(path: string): Pool;
export declare function open(): Pool;
/** What is held. */
export declare class Pool {
    #private;
    private secret;
    /** How many. */
    get size(): number;
}
export interface Options {
    readonly max?: number;
}
//# source${'MappingURL'}=x.d.ts.map
`;

test('a door is read to where its names are declared (P18)', () => {
  const door = emitted({
    'index.d.ts':
      "export { open as openPool, Pool } from './inner/index.ts';\nexport type { Options } from './inner/index.js';\n",
    'inner/index.d.ts': "export { open, Pool, type Options } from './pool.ts';\n",
    'inner/pool.d.ts': INNER,
  });
  expect(readDoor(door)).toEqual([
    {
      name: 'openPool',
      comment: 'Opens it.\n@throws TypeError',
      declarations: ['function openPool(path: string): Pool;', 'function openPool(): Pool;'],
    },
    {
      name: 'Pool',
      comment: 'What is held.',
      declarations: ['class Pool {\n    /** How many. */\n    get size(): number;\n}'],
    },
    { name: 'Options', comment: '', declarations: ['interface Options {\n    readonly max?: number;\n}'] },
  ]);
});

test('a page has a section for each name', () => {
  const entry = { name: 'open', comment: 'Opens it.', declarations: ['function open(): void;'] };
  expect(toMarkdown('millpond', [entry])).toBe(
    '# millpond\n\n## open\n\nOpens it.\n\n```ts\nfunction open(): void;\n```\n',
  );
});

test('a name that is declared nowhere stops it', () => {
  const door = emitted({
    'index.d.ts': "export { gone } from './inner/pool.ts';\n",
    'inner/pool.d.ts': INNER,
  });
  expect(() => readDoor(door)).toThrow('does not declare gone');
});
