import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { folderWith } from '../../fixtures/folder-with.ts';
import { callMillpond, spawnNode, type CliEnd } from '../../fixtures/run-cli.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const APPS = join(ROOT, 'test/fixtures/codemod');
const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

interface Answer {
  readonly ok: boolean;
  readonly written: boolean;
  readonly files: readonly string[];
  readonly functions: number;
  readonly byHand: readonly { readonly file: string; readonly line: number; readonly message: string }[];
  readonly look: readonly object[];
}

/** A project of its own with a copy of the application, and the packages of this one. */
async function projectWith(app: string): Promise<string> {
  const compilerOptions = {
    ...{ target: 'ESNext', module: 'NodeNext', lib: ['ESNext'], types: ['node'], strict: true },
    ...{ noUncheckedIndexedAccess: true, noImplicitOverride: true, skipLibCheck: true, noEmit: true },
    ...{ allowImportingTsExtensions: true, erasableSyntaxOnly: true },
    paths: { millpond: [join(ROOT, 'src/index.ts')], 'millpond/compat': [join(ROOT, 'src/compat/index.ts')] },
  };
  const folder = await folderWith({
    'package.json': '{ "type": "module" }',
    'tsconfig.json': JSON.stringify({ compilerOptions, include: ['src'] }),
  });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await cp(join(APPS, app), join(folder, 'src'), { recursive: true });
  return folder;
}

async function filesIn(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(join(folder, 'src'))).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, 'src', name), 'utf8')));
  return Object.fromEntries(names.map((name, index) => [name, texts[index]!]));
}

/** Runs the application, and gives what it printed. */
async function run(folder: string, main: string): Promise<CliEnd> {
  const data = join(folder, `data-${Math.random().toString(36).slice(2)}`);
  await mkdir(data);
  const end = await spawnNode(folder, [join('src', main), data]);
  expect([end.code, end.stderr]).toEqual([0, '']);
  return end;
}

async function typeFaults(folder: string): Promise<string[]> {
  const checking = promisify(execFile)(process.execPath, [TSC, '-p', folder], { cwd: folder });
  const said = await checking.catch((error: { stdout: string }) => error);
  return said.stdout.split('\n').filter((line) => line.startsWith('src/'));
}

describe('millpond codemod (S12)', () => {
  test('moves 68 functions and more in twelve files, with one fix by hand: the same results', async () => {
    const folder = await projectWith('tracker');
    const before = await run(folder, 'main.ts');
    const end = await callMillpond(folder, ['codemod', 'src', '--json']);
    const answer = end.json<Answer>();
    expect(end.code).toBe(1);
    expect(answer.functions).toBeGreaterThanOrEqual(68);
    expect(answer.files).toHaveLength(11);
    expect(answer.byHand).toEqual([
      {
        ...{ file: 'src/settings.ts', line: 8, column: 16 },
        message: 'this connection stays as it is: a constructor cannot wait',
      },
    ]);
    expect(answer.look).toEqual([]);
    const after = await run(folder, 'main.ts');
    expect(after.json<unknown[]>().length).toBeGreaterThan(50);
    expect(after.json()).toEqual(before.json());

    // What the codemod leaves to be done by hand: a constructor cannot wait, so a function opens and passes.
    const settings = await readFile(join(folder, 'src/settings.ts'), 'utf8');
    const [signature, opening] = [/constructor\(path: string\) \{/, 'this.#db = new Database(path);'];
    expect(settings).toMatch(signature);
    await writeFile(
      join(folder, 'src/settings.ts'),
      settings
        .replace(signature, 'constructor(db: Database.Database) {')
        .replace(opening, 'this.#db = db;')
        .replace(/ +this\.#db\.exec\((.*)\);\n/, '')
        .replace(
          '  read(',
          `  static open(path: string): Settings {
    const db = new Database(path);
    db.exec('create table if not exists settings (name text primary key, value text not null)');
    return new Settings(db);
  }\n\n  read(`,
        ),
    );
    const main = await readFile(join(folder, 'src/main.ts'), 'utf8');
    await writeFile(join(folder, 'src/main.ts'), main.replace('new Settings(', 'Settings.open('));
    const fixed = await callMillpond(folder, ['codemod', 'src', '--json']);
    expect([fixed.code, fixed.json()]).toMatchObject([
      0,
      { byHand: [], files: ['src/main.ts', 'src/settings.ts'] },
    ]);
    expect(await typeFaults(folder)).toEqual([]);
    expect((await run(folder, 'main.ts')).json()).toEqual(before.json());
    expect((await callMillpond(folder, ['codemod', 'src', '--check'])).code).toBe(0);
    expect(Object.values(await filesIn(folder)).join('')).not.toContain('better-sqlite3');
  });

  test('moves JavaScript from node:sqlite: the same results', async () => {
    const folder = await projectWith('notes');
    const before = await run(folder, 'main.js');
    const end = await callMillpond(folder, ['codemod', 'src']);
    expect([end.code, end.stdout]).toEqual([
      0,
      expect.stringMatching(
        /Of 2 files 2 changed: \d+ functions are asynchronous now, \d+ calls are awaited\.$/m,
      ),
    ]);
    expect((await run(folder, 'main.js')).json()).toEqual(before.json());
    expect((await callMillpond(folder, ['codemod', 'src', '--json'])).json()).toMatchObject({ files: [] });
  });

  test('--dry-run and --check write nothing, and --check fails while there is anything to do', async () => {
    const folder = await projectWith('notes');
    const before = await filesIn(folder);
    const dry = await callMillpond(folder, ['codemod', 'src', '--dry-run']);
    expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining('Of 2 files 2 would change')]);
    const check = await callMillpond(folder, ['codemod', 'src', '--check', '--json']);
    expect([check.code, check.json()]).toMatchObject([1, { ok: false, written: false }]);
    expect(await filesIn(folder)).toEqual(before);
  });

  test('reads the folders that hold sources, and refuses what it cannot read', async () => {
    const uses = "import { DatabaseSync } from 'node:sqlite';\nnew DatabaseSync('a.db').close();\n";
    const folder = await folderWith({
      ...{
        'a/b.mjs': uses,
        'a/node_modules/c.mjs': uses,
        'a/.d/e.mjs': uses,
        'a/f.d.ts': 'x',
        'a/g.txt': uses,
      },
      ...{ 'broken/a.js': 'const = 1', 'bytes/a.js': '', 'empty/a.txt': '' },
    });
    await writeFile(join(folder, 'bytes/a.js'), Buffer.from([0x22, 0xff, 0x22]));
    const found = await callMillpond(folder, ['codemod', 'a', 'a/b.mjs', '--dry-run', '--json']);
    expect(found.json<Answer>().files).toEqual(['a/b.mjs']);
    for (const [path, message] of [
      ['broken', 'broken/a.js:1:7: Unexpected token.'],
      ['bytes', 'bytes/a.js is not UTF-8.'],
      ['empty', 'There are no JavaScript or TypeScript files.'],
      ['nowhere', 'There is no file or folder nowhere.'],
    ]) {
      const refused = await callMillpond(folder, ['codemod', path!]);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(message!)]);
    }
  });
});
