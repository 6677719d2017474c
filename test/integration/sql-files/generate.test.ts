import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { SqlFileError } from '../../../src/errors/index.ts';
import { checkQueries, generateQueries, type GenerateOptions } from '../../../src/queries/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';
import { openScratch } from '../../fixtures/scratch-database.ts';

const INIT = `create table jobs (id integer primary key, name text not null, queue text, due datetime);
create table runs (id integer primary key, job_id int not null references jobs, note text);`;
const JOBS = readFileSync(new URL('sql/jobs/jobs.sql', import.meta.url), 'utf8');

async function project(files: Record<string, string> = {}): Promise<string> {
  return folderWith({ 'sql/init.sql': INIT, 'sql/jobs/jobs.sql': JOBS, ...files });
}

async function faults(files: Record<string, string>, options: GenerateOptions = {}): Promise<string[]> {
  const folder = await folderWith({ 'sql/init.sql': INIT, ...files });
  const error: unknown = await generateQueries({ sql: join(folder, 'sql'), ...options }).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SqlFileError)) throw new Error(`it was to be refused: ${String(error)}`);
  return error.problems.map(
    ({ file, line, column, message }) => `${file.slice(folder.length + 5)}:${line}:${column} ${message}`,
  );
}

describe('the module of a folder', () => {
  test('has the types that the engine tells, comments, and the tables', async () => {
    const folder = await project();
    const { text, queries, warnings, changed } = await generateQueries({ sql: join(folder, 'sql') });
    expect(queries).toHaveLength(8);
    expect(warnings).toEqual([]);
    expect(changed).toBe(true);
    for (const part of [
      'export interface Job {\n  readonly id: number;\n  readonly name: string;\n  readonly queue: string | null;\n}',
      '     * One job by its number.\n     *   `quoted` ${not} * / closed\n     *\n     * Reads jobs. jobs/jobs.sql:1\n',
      '     * Reads jobs, runs. Writes jobs. jobs/jobs.sql:',
      'readonly getJob: OneQuery<{ readonly id: number | bigint }, Job>;',
      'readonly addJobs: EachQuery<{ readonly id: number | bigint; readonly name: string; readonly due: string',
      "readonly sort?: 'newest' | 'by-name' | undefined",
      'readonly countJobs: ExactValueQuery<void, number>;',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('is the same wherever the folder lies, and written only when it changes', async () => {
    const [one, other] = [await project(), await project()];
    const first = await generateQueries({ sql: join(one, 'sql') });
    const second = await generateQueries({ sql: `${other}/sql/` });
    expect(second.text).toBe(first.text);
    expect((await generateQueries({ sql: join(one, 'sql') })).changed).toBe(false);
    expect(await readFile(join(one, 'sql/queries.ts'), 'utf8')).toBe(first.text);
  });

  test('that the types are tested with is what is generated', async () => {
    const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
    const options = {
      sql: at('sql'),
      out: at('../../types/generated-queries.ts'),
      importFrom: '../../src/queries/index.ts',
    };
    const { queries } =
      process.env['TEST_UPDATE'] === '1' ? await generateQueries(options) : await checkQueries(options);
    expect(queries).toHaveLength(9);
  });

  test('is checked without being written', async () => {
    const folder = await project();
    const options = { sql: join(folder, 'sql'), out: join(folder, 'generated.ts') };
    await expect(checkQueries(options)).rejects.toThrow(
      'generated.ts:1:1: The file is not there: run "millpond generate".',
    );
    await generateQueries(options);
    expect((await checkQueries(options)).changed).toBe(false);
    await writeFile(join(folder, 'sql/jobs/jobs.sql'), JOBS.replace('count(*)', 'max(id)'));
    await expect(checkQueries(options)).rejects.toThrow(
      /generated.ts:\d+:\d+: Here the file is not what the SQL/,
    );
  });

  test('may be made against a database as it is', async () => {
    const { path } = await openScratch('create table jobs (id integer primary key, extra text not null)');
    const folder = await folderWith({ 'sql/a.sql': '-- name: a\nselect * from jobs' });
    const schemas = [{ dialect: 'sqlite', url: `sqlite:${path}` }] as const;
    const { text } = await generateQueries({ sql: join(folder, 'sql'), schemas });
    expect(text).toContain('readonly extra: string;');
  });

  test('may be made against what migrations make', async () => {
    const folder = await folderWith({ 'sql/a.sql': '-- name: a\nselect * from b' });
    const schemas = [
      { dialect: 'sqlite', prepare: (db) => db.script('create table b (c real)') },
    ] as const satisfies GenerateOptions['schemas'];
    expect((await generateQueries({ sql: join(folder, 'sql'), schemas })).text).toContain(
      'readonly c: number | null;',
    );
  });

  test('says what is wrong in a script, as far as nothing before it may make it right', async () => {
    const script = (text: string) => faults({ 'sql/a.sql': `-- name: a#\n${text}` });
    expect(await script('delete from jobs;\n-- then;\nupdate jobs set quue = 1; delete from jobz')).toEqual([
      'a.sql:4:17 a: no such column: quue',
    ]);
    const text = `-- name: fine#\ndelete from runs; create table later (id int); insert into later values (1);
-- name: made#\ncreate trigger t after insert on runs begin delete from gone; end; delete from nothing;`;
    const folder = await project({ 'sql/b.sql': text });
    expect((await generateQueries({ sql: join(folder, 'sql') })).queries).toHaveLength(10);
  });

  test('warns of what may be meant otherwise', async () => {
    const folder = await project({
      'sql/b.sql': '-- name: a^\nselect * from jobs\n-- name: b$\nselect id, name from jobs limit 1',
    });
    const { warnings } = await generateQueries({ sql: join(folder, 'sql') });
    expect(warnings.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '1 a may find several rows, and gives the first: add "limit 1" if that is meant.',
      '3 b has 2 columns, and gives the first.',
    ]);
  });
});

describe('what the engine finds wrong is told with its place in the file:', () => {
  test.each([
    ['-- name: a\nselect id,\n  nme from jobs', 'a.sql:3:3 a: no such column: nme'],
    ['-- name: a\nselect j.nme\nfrom jobs j', 'a.sql:2:8 a: no such column: j.nme'],
    ['-- name: a\nselect *\nfrom job', 'a.sql:3:6 a: no such table: job'],
    ['-- name: a\nselect id frm jobs, x', 'a.sql:2:15 a: near "jobs": syntax error'],
    ['-- name: a\nselect foo(id) from jobs', 'a.sql:2:8 a: no such function: foo'],
    [
      '-- name: a\n-- choice: s.x = id\n-- choice: s.y = nope\nselect id from jobs order by :s',
      'no such column: nope',
    ],
    [
      '-- name: a\nselect id from jobs where true /*[*/ and nope = :b /*]*/',
      'a.sql:2:42 a: no such column: nope',
    ],
    ['-- name: a^\ndelete from jobs', 'a.sql:1:10 a gives no rows: mark it !'],
    ['-- name: a!\nselect 1', 'a.sql:1:10 a writes nothing'],
    ['-- name: a\nselect 1 as x, 2 as x', 'a.sql:1:10 a has two columns named x'],
    ['-- name: a\n-- column: y!\nselect 1 as x', 'a.sql:2:12 a has no column y.'],
    ['-- name: a\nselect id /*[*/, :b as b /*]*/ from jobs', 'a.sql:1:10 a gives other columns'],
  ])('%j', async (text, fault) => {
    expect(await faults({ 'sql/a.sql': text })).toEqual([expect.stringContaining(fault)]);
  });

  test('all of them', async () => {
    expect(await faults({ 'sql/a.sql': '-- name: a\nselect x\n-- name: b\nselect y' })).toHaveLength(2);
  });
});
