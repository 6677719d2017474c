import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  doorFaults,
  floorsInUse,
  floorTable,
  importFaults,
  nameFaults,
  ownerFaults,
  sizeFaults,
  sizeWarnings,
  type SourceFile,
} from './floors.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = join(ROOT, 'src');
const ARCHITECTURE = join(ROOT, 'ARCHITECTURE.md');

const files: SourceFile[] = globSync('**/*.ts', { cwd: SOURCE })
  .sort()
  .map((path) => ({ path: path.replaceAll(sep, '/'), text: readFileSync(join(SOURCE, path), 'utf8') }));

describe('in src/', () => {
  test('imports go down, never up or sideways, and only through a door', () => {
    expect(importFaults(files)).toEqual([]);
  });

  test('each package from outside has one owner', () => {
    expect(ownerFaults(files)).toEqual([]);
  });

  test('every folder has a door, and doors hold named re-exports only', () => {
    expect(doorFaults(files)).toEqual([]);
  });

  test('no folder or file has a name that says nothing', () => {
    expect(nameFaults(files)).toEqual([]);
  });

  test('files and lines are short', () => {
    for (const warning of sizeWarnings(files)) console.warn(warning);
    expect(sizeFaults(files)).toEqual([]);
  });

  test('the floors are those of ARCHITECTURE.md', () => {
    expect(existsSync(ARCHITECTURE), 'ARCHITECTURE.md has the floor table').toBe(true);
    expect(floorTable(readFileSync(ARCHITECTURE, 'utf8'))).toEqual(floorsInUse(files));
  });
});

describe('the rules see', () => {
  test.each([
    ['an import upwards', "import { a } from '../database/index.ts';", 'up, from floor 3 to 5'],
    ['an import sideways', "import { a } from '../sqlite/index.ts';", 'sideways, both are on floor 3'],
    ['an import of a type', "import type { A } from '../sqlite/index.ts';", 'sideways'],
    ['a type imported in passing', "let a: import('../sqlite/index.ts').A;", 'sideways'],
    ['a re-export', "export {\n  a,\n  type B,\n} from '../sqlite/index.ts';", 'sideways'],
    ['an import for its effect', "import '../sqlite/index.ts';", 'sideways'],
    ['a way past the door', "import { a } from '../errors/usage-error.ts';", 'not through errors/index.ts'],
    ['a folder that uses its own door', "import { a } from './index.ts';", 'its own door'],
    ['a folder without a floor', "import { a } from '../nowhere/index.ts';", '"nowhere" has no floor'],
    ['a way out of src/', "import { a } from '../../bench/a.ts';", 'outside src/'],
  ])('%s', (_, text, fault) => {
    expect(importFaults([{ path: 'pool/a.ts', text }])).toEqual([expect.stringContaining(fault)]);
  });

  test('nothing wrong with imports that go down, stay inside, or stand in a comment', () => {
    const text = `
      import { a } from '../errors/index.ts';
      import { b } from './b.ts';
      // import { c } from '../sqlite/index.ts';
      /* import { d } from '../sqlite/index.ts'; */`;
    expect(importFaults([{ path: 'pool/a.ts', text }])).toEqual([]);
    const inTest = { path: 'pool/a.test.ts', text: "import { a } from '../../test/setup/a.ts';" };
    expect(importFaults([inTest])).toEqual([]);
  });

  test('a package with two owners', () => {
    const paths = ['config/a.ts', 'config/b.ts', 'sql/c.ts', 'sql/c.test.ts'];
    const importedBy = (specifier: string, importers: string[]) =>
      ownerFaults(importers.map((path) => ({ path, text: `import { a } from '${specifier}';` })));
    expect(importedBy('zod', paths)).toEqual(['zod is imported by config and sql']);
    expect(importedBy('zod', ['config/a.ts', 'config/b.ts', 'sql/c.test.ts'])).toEqual([]);
    expect(importedBy('node:sqlite', paths)).toEqual([
      'node:sqlite is imported by config/a.ts and config/b.ts and sql/c.ts',
    ]);
    expect(importedBy('node:path', paths)).toEqual([]);
  });

  test.each([
    ['logic in a door', "export { a } from './a.ts';\nexport const b = 1;"],
    ['an import in a door', "import './a.ts';"],
    ['a default export', 'export default 1;'],
  ])('%s', (_, text) => {
    expect(doorFaults([{ path: 'pool/index.ts', text }])).toEqual([
      'pool/index.ts holds more than named re-exports',
    ]);
  });

  test('a star export, and a folder without a door', () => {
    expect(doorFaults([{ path: 'pool/a.ts', text: "export * from './b.ts';" }])).toEqual([
      'pool/ has no index.ts',
      'pool/a.ts has "export *"',
    ]);
  });

  test('names that say nothing', () => {
    const paths = ['pool/utils/a.ts', 'shared/a.ts', 'pool/types.ts', 'pool/lease.ts'];
    expect(nameFaults(paths.map((path) => ({ path, text: '' })))).toHaveLength(3);
  });

  test('long files and wide lines', () => {
    const long = (count: number) => ({ path: 'pool/a.ts', text: 'let a;\n'.repeat(count) });
    expect(sizeFaults([long(400), { path: 'pool/b.ts', text: 'x'.repeat(110) }])).toEqual([]);
    expect(sizeFaults([long(401)])).toEqual([expect.stringContaining('401 lines')]);
    expect(sizeFaults([{ path: 'pool/b.ts', text: `\n${'x'.repeat(111)}\n` }])).toEqual([
      expect.stringContaining('pool/b.ts:2 is 111 columns wide'),
    ]);
    expect(sizeWarnings([long(300), long(301), long(401)])).toEqual([expect.stringContaining('301 lines')]);
  });

  test('the table of a page', () => {
    const page =
      'Text.\n\n| floor | folders |\n| --- | --- |\n| 9 | `index.ts` |\n' +
      '| 1 | `sql/` `async/`: words |\n\n| 3 | `other` |';
    expect(floorTable(page)).toEqual({ 'index.ts': 9, sql: 1, async: 1 });
  });
});
