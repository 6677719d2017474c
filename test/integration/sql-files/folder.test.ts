import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { SqlFileError } from '../../../src/errors/index.ts';
import { fullName, readSqlFolder, selectInitScript, selectVariants } from '../../../src/sqlfile/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';

async function faults(
  files: Record<string, string>,
  prepare?: (folder: string) => unknown,
): Promise<string[]> {
  const folder = await folderWith(files);
  await prepare?.(folder);
  try {
    await readSqlFolder(folder);
  } catch (error) {
    if (!(error instanceof SqlFileError)) throw error;
    return error.problems.map(
      ({ file, line, column, message }) => `${file.slice(folder.length + 1)}:${line}:${column} ${message}`,
    );
  }
  return [];
}

describe('J8: a folder of SQL files', () => {
  test('is one object of queries, each folder in it a namespace', async () => {
    const folder = await folderWith({
      'a.sql': '-- name: one\nselect 1',
      'b.sql': '-- name: two\nselect 2',
      'user-jobs/list.sql': '-- name: one\nselect 1',
      'user-jobs/deep/x.sql': '-- name: one\nselect 1',
      'notes.txt': 'no SQL',
      '.hidden/x.sql': 'broken',
      'empty.sql': '-- only a comment\n',
    });
    const { queries } = await readSqlFolder(folder);
    expect(queries.map(fullName)).toEqual(['one', 'two', 'userJobs.deep.one', 'userJobs.one']);
    expect(queries[0]!.source.file).toBe(`${folder}/a.sql`);
    expect((await readSqlFolder(join(folder, 'b.sql'))).queries.map(fullName)).toEqual(['two']);
  });

  test('has variants of files and of queries for a dialect, and the scripts of an empty database', async () => {
    const folder = await folderWith({
      'a.sql': '-- name: one\nselect 1\n-- name: two\nselect 2\n-- name: two\n-- dialect: sqlite\nselect 22',
      'a.postgres.sql': '-- name: one\nselect 11\n-- name: three\nselect 3',
      'init.sql': 'create table a (b); create table c (d);',
      'init.postgres.sql': 'create table a (b int)',
    });
    const { queries, initScripts } = await readSqlFolder(folder);
    const texts = (dialect: 'sqlite' | 'postgres') =>
      Object.fromEntries(
        selectVariants(queries, dialect).map(({ name, query }) => [
          name,
          query?.source.text.slice(query.definition.bodyStart, query.definition.bodyEnd),
        ]),
      );
    expect(texts('sqlite')).toEqual({ one: 'select 1', two: 'select 22', three: undefined });
    expect(texts('postgres')).toEqual({ one: 'select 11', two: 'select 2', three: 'select 3' });
    expect(selectInitScript(initScripts, 'sqlite')?.source.text).toContain('create table c');
    expect(selectInitScript(initScripts, 'postgres')?.source.text).toContain('b int');
  });
});

describe('C55: is refused:', () => {
  test('a query that is there twice, with both places', async () => {
    const found = await faults({
      'a.sql': '-- name: get_it\nselect 1\n-- name: get-it\nselect 1',
      'b.sql': '-- name: getIt\nselect 1',
    });
    expect(found).toEqual([
      expect.stringMatching(/^a.sql:3:10 getIt is there already: .*a.sql:1:10\.$/),
      expect.stringMatching(/^b.sql:1:10 getIt is there already: .*a.sql:1:10\.$/),
    ]);
  });

  test('a query with the name of a folder, and folders that are no names', async () => {
    expect(await faults({ 'a.sql': '-- name: b\nselect 1', 'b/c.sql': '-- name: d\nselect 1' })).toEqual([
      'a.sql:1:10 b is a folder too.',
    ]);
    expect(
      await faults({ '1/a.sql': '', 'then/a.sql': '', 'a.b/c.sql': '', 'constructor/a.sql': '' }),
    ).toHaveLength(4);
  });

  test('a dialect that contradicts the name of the file', async () => {
    expect(await faults({ 'a.sqlite.sql': '-- name: b\n-- dialect: postgres\nselect 1' })).toEqual([
      "a.sqlite.sql:1:10 The file's name says it is for sqlite.",
    ]);
  });

  test('faults of several files together', async () => {
    expect(await faults({ 'a.sql': '-- name: a%\nselect 1', 'b/c.sql': 'select 1' })).toHaveLength(2);
  });

  test('what is outside of the folder, whatever links say', async () => {
    const outside = await folderWith({ 'secret.sql': '-- name: secret\nselect 1' });
    const found = await faults({ 'a.sql': '-- name: a\nselect 1', 'b/c.sql': '' }, async (folder) => {
      await symlink(join(outside, 'secret.sql'), join(folder, 'x.sql'));
      await symlink(outside, join(folder, 'y'));
      await symlink('../nowhere.sql', join(folder, 'z.sql'));
      await symlink('..', join(folder, 'b', 'loop'));
    });
    expect(found).toEqual([
      'b/loop:1:1 A link to a folder is not followed.',
      'x.sql:1:1 The symbolic link leads out of the folder, so it is not read.',
      'y:1:1 The symbolic link leads out of the folder, so it is not read.',
      'z.sql:1:1 The symbolic link leads nowhere.',
    ]);
  });

  test('a link inside of the folder is read as a file', async () => {
    expect(
      await faults({ 'a/b.sql': '-- name: x\nselect 1' }, (folder) =>
        symlink('a/b.sql', join(folder, 'c.sql')),
      ),
    ).toEqual([]);
  });

  test('what is not UTF-8, not a regular file, or too long', async () => {
    const found = await faults({}, async (folder) => {
      await writeFile(join(folder, 'a.sql'), new Uint8Array([0x2d, 0x2d, 0xff, 0xfe]));
      execFileSync('mkfifo', [join(folder, 'b.sql')]);
      await writeFile(join(folder, 'c.sql'), `-- name: c\nselect '${'x'.repeat(4_000_000)}'`);
    });
    expect(found).toEqual([
      'a.sql:1:1 The file is not UTF-8.',
      'b.sql:1:1 This is not a regular file.',
      'c.sql:1:1 A file has at most 4000000 bytes, not 4000020.',
    ]);
  });

  test('a path that leads nowhere', async () => {
    await expect(readSqlFolder('no/such/folder')).rejects.toThrow('There is no file or folder of SQL at');
  });
});
