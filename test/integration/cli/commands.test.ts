import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';
import { callMillpond, spawnMillpond, spawnNode } from '../../fixtures/run-cli.ts';

const URL_OPTION = ['--url', 'sqlite:app.db'];
const MIGRATIONS = {
  'migrations/0001_users.sql': 'create table users (id integer primary key, name text)',
  'migrations/0001_users.down.sql': 'drop table users',
  'migrations/0002_ada.sql': "insert into users (name) values ('Ada')",
};

interface Starter {
  readonly scripts: { readonly check: string };
}

describe('millpond', () => {
  test('init makes a service that works: its migration, its query and its test', async () => {
    const folder = await folderWith();
    const made = await spawnMillpond(folder, ['init', '--json']);
    expect(made.json()).toMatchObject({ ok: true, files: expect.arrayContaining(['src/queries.ts']) });
    const { scripts } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Starter;
    const check = scripts.check.split(' && ')[0]!.split(' ').slice(1);
    expect((await spawnMillpond(folder, check)).stdout).toContain('src/queries.ts is what the SQL');
    const tested = await spawnNode(folder, ['--test']);
    expect(tested.code, tested.stdout).toBe(0);
    expect(tested.stdout).toMatch(/pass 1\b/);
    const started = await spawnNode(folder, ['src/main.ts']);
    expect(started.stdout).toContain('This is start 1.');
    const asked = await spawnMillpond(folder, ['query', 'listNotes', '--param', 'limit=3', '--json']);
    expect(asked.json()).toMatchObject({ ok: true, result: [{ id: 1 }] });
    const again = await spawnMillpond(folder, ['init']);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('Nothing was written: package.json, tsconfig.json');
  });

  test('M9: what init makes runs on PostgreSQL, by the address alone', async () => {
    const folder = await folderWith();
    await spawnMillpond(folder, ['init']);
    await writeFile(join(folder, '.env.local'), `DATABASE_URL=${await sharedPostgresDatabase()}`);
    for (const count of [1, 2]) {
      const started = await spawnNode(folder, ['src/main.ts']);
      expect(started.stdout, started.stderr).toContain(`This is start ${count}.`);
    }
    const [asked, down] = [
      await spawnMillpond(folder, ['query', 'listNotes', '--param', 'limit=1', '--json']),
      await spawnMillpond(folder, ['migrate', 'down']),
    ];
    expect(asked.json()).toMatchObject({ ok: true, result: [{ id: 2, body: 'started' }] });
    expect(down.code, down.stderr).toBe(0);
  });

  test('P14: migrate applies, shows, checks and undoes', async () => {
    const folder = await folderWith(MIGRATIONS);
    const run = (...args: string[]) => callMillpond(folder, ['migrate', ...args, ...URL_OPTION]);
    const before = await run('status');
    expect([before.code, before.stdout]).toEqual([1, expect.stringContaining('0002_ada    pending')]);
    expect((await run('up', '--dry-run')).stdout).toContain('2 migrations would be applied.');
    const up = await run('up', '--json');
    expect(up.json()).toMatchObject({
      ok: true,
      done: [{ name: '0001_users' }, { name: '0002_ada' }],
      pending: [],
    });
    expect((await run('status')).code).toBe(0);
    const down = await run('down');
    expect([down.code, down.stderr]).toEqual([1, expect.stringContaining('there is no 0002_ada.down.sql')]);
    await writeFile(join(folder, 'migrations/0002_ada.sql'), 'select 1');
    const edited = await run('verify', '--json');
    expect(edited.code).toBe(1);
    expect(edited.json()).toMatchObject({
      ok: false,
      error: {
        code: 'ERR_MILLPOND_MIGRATION',
        faults: [{ kind: 'edited', file: 'migrations/0002_ada.sql' }],
      },
    });
  });

  test('migrate new, baseline and resolve', async () => {
    const folder = await folderWith();
    const run = (...args: string[]) => callMillpond(folder, ['migrate', ...args, ...URL_OPTION]);
    const made = await run('new', 'add', 'users', '--no-down');
    expect(made.stdout.trim()).toBe('migrations/0001_add_users.sql');
    await writeFile(join(folder, 'migrations/0001_add_users.sql'), 'create table users (id int)');
    expect((await run('baseline', '0001_add_users', '--json')).json()).toMatchObject({
      entered: ['0001_add_users'],
    });
    await writeFile(join(folder, 'migrations/0002_b.sql'), '-- millpond: no-transaction\nselect nothing');
    expect((await run('up')).stderr).toContain('0002_b.sql:2:1');
    expect((await run('up')).stderr).toContain('millpond migrate resolve 0002_b --applied, or --not-applied');
    expect((await run('resolve', '0002_b')).stderr).toContain('Say what you found');
    expect((await run('resolve', '0002_b', '--not-applied', '--json')).json()).toMatchObject({
      as: 'not-applied',
    });
    expect((await run('resolve', '0002_b', '--applied')).code).toBe(1);
  });

  test('doctor looks at everything, and tells what is not in order', async () => {
    const folder = await folderWith({
      ...MIGRATIONS,
      'migrations/0003_orders.sql': 'create table orders (user integer references users)',
    });
    await callMillpond(folder, ['migrate', 'up', ...URL_OPTION]);
    const well = await callMillpond(folder, ['doctor', '--full', ...URL_OPTION], { DB_POOL_MAX: '3' });
    expect(well.code, well.stderr).toBe(0);
    for (const what of ['versions', 'pragmas', 'disk', 'write-ahead log', 'integrity', 'migrations'])
      expect(well.stdout).toContain(`${what}: `);
    expect(well.stdout).toContain('warning indexes of foreign keys: no index begins with orders.user');
    expect(well.stdout).toMatch(/pool\.max +3 +DB_POOL_MAX/);
    await writeFile(join(folder, 'migrations/0002_ada.sql'), 'select 1');
    const report = await callMillpond(folder, ['doctor', '--json', ...URL_OPTION]);
    expect(report.code).toBe(1);
    expect(report.json<{ findings: object[] }>().findings).toContainEqual(
      expect.objectContaining({ what: 'migrations', status: 'failed' }),
    );
  });

  test.each([
    ['doctor', '--url', 'sqlite:data/typo.db'],
    ['backup', 'copy.db', '--url', 'sqlite:data/typo.db'],
    ['query', 'all', '--url', 'sqlite:data/typo.db'],
    ['generate', '--url', 'sqlite:data/typo.db'],
    ['copy', 'sqlite:data/typo.db', 'postgres://127.0.0.1:1/app'],
  ])('%s looks at what is there, and makes no file where the address is wrong', async (...args) => {
    const folder = await folderWith({ 'sql/a.sql': '-- name: all\nselect 1' });
    const end = await callMillpond(folder, args);
    expect([end.code, end.stderr]).toEqual([3, expect.stringContaining('There is no database at')]);
    expect((await readdir(folder)).sort()).toEqual(['sql']);
  });

  test('backup copies and checks, and replaces nothing unasked', async () => {
    const folder = await folderWith(MIGRATIONS);
    await callMillpond(folder, ['migrate', 'up', ...URL_OPTION]);
    const first = await callMillpond(folder, ['backup', 'copy.db', '--json', ...URL_OPTION]);
    expect(first.json()).toMatchObject({ ok: true, file: 'copy.db', checked: 'ok' });
    const second = await callMillpond(folder, ['backup', 'copy.db', ...URL_OPTION]);
    expect([second.code, second.stderr]).toEqual([2, expect.stringContaining('There is a file at')]);
    expect((await callMillpond(folder, ['backup', 'copy.db', '--overwrite', ...URL_OPTION])).code).toBe(0);
    expect((await readdir(folder)).filter((name) => name.startsWith('copy.db'))).toEqual(['copy.db']);
    const nowhere = await callMillpond(folder, ['backup', 'none/copy.db', ...URL_OPTION]);
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('There is no folder')]);
  });

  test('query runs one named query and suggests what was meant', async () => {
    const sql =
      '-- name: count_users$\nselect count(*) from users;\n-- name: user^\nselect * from users where name = :name\n-- name: clear#\ndelete from users;\n' +
      '-- name: add*!\ninsert into users (name) values (:name)';
    const folder = await folderWith({ ...MIGRATIONS, 'sql/all.sql': sql });
    await callMillpond(folder, ['migrate', 'up', ...URL_OPTION]);
    const run = (...args: string[]) => callMillpond(folder, ['query', ...args, ...URL_OPTION]);
    expect((await run('countUsers')).stdout.trim()).toBe('1');
    expect((await run('user', '--param', 'name=Ada', '--json')).json()).toMatchObject({
      result: { id: 1, name: 'Ada' },
    });
    expect((await run('user', '--param', 'name=Bob')).stdout.trim()).toBe('No row.');
    const wrong = await run('countUser');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('Did you mean "countUsers"?')]);
    expect((await run('user', '--param', 'name')).stderr).toContain('A parameter is name=value');
    for (const name of ['countUsers', 'clear', 'user']) {
      const unknown = await run(name, '--param', 'name=Ada', '--param', 'nme=Ada');
      expect([name, unknown.code, unknown.stderr]).toEqual([
        name,
        2,
        expect.stringMatching(new RegExp(`^${name}\\(\\): there is no parameter .*nme`)),
      ]);
    }
    expect((await run('add', '--param', 'name=Bob')).stderr).toContain('add(): parameters are an array');
    expect((await run('countUsers')).stdout.trim()).toBe('1');
  });

  test('P12: drizzle-config writes the file for the dialect, without a password', async () => {
    const folder = await folderWith();
    const run = (...args: string[]) => callMillpond(folder, ['drizzle-config', ...args]);
    expect((await run('--schema', "./it's.ts", ...URL_OPTION)).code).toBe(0);
    const sqlite = await readFile(join(folder, 'drizzle.config.ts'), 'utf8');
    expect(sqlite).toContain("dialect: 'sqlite',\n  schema: './it\\'s.ts',\n  out: './migrations',");
    expect(sqlite).toContain("url: 'app.db'");
    expect((await run(...URL_OPTION)).stderr).toContain('--force');
    await callMillpond(folder, ['drizzle-config', '--force'], {
      DATABASE_URL: 'postgres://u:secret@host/db',
    });
    const postgres = await readFile(join(folder, 'drizzle.config.ts'), 'utf8');
    expect(postgres).toContain("dialect: 'postgresql'");
    expect(postgres).toContain("url: process.env['DATABASE_URL']!");
    expect(postgres).not.toContain('secret');
  });

  test('ends with documented codes, and says what is wrong', async () => {
    const folder = await folderWith({ 'app.txt': '' });
    const unknown = await callMillpond(folder, ['migrat']);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('Did you mean migrate?')]);
    const asJson = await callMillpond(folder, ['doctor', '--ful', '--json']);
    expect([asJson.code, asJson.json()]).toMatchObject([
      2,
      { ok: false, error: { message: expect.stringContaining('--ful') } },
    ]);
    expect((await callMillpond(folder, ['--help'])).code).toBe(0);
    expect((await callMillpond(folder, ['--version'])).stdout.trim()).toMatch(/^\d+\.\d+\.\d+/);
    const nowhere = await callMillpond(folder, ['migrate', 'status', '--json']);
    expect(nowhere.code).toBe(2);
    expect(nowhere.json()).toMatchObject({
      ok: false,
      error: { code: 'ERR_MILLPOND_CONFIG', faults: [{ key: 'url' }] },
    });
    const unreachable = await callMillpond(folder, [
      'doctor',
      '--url',
      'sqlite:app.txt/there/app.db',
      '--json',
    ]);
    expect([unreachable.code, unreachable.json().ok]).toEqual([3, false]);
    expect((await callMillpond(folder, ['migrate', 'down', '--count', 'x', ...URL_OPTION])).code).toBe(2);
  });

  test('Ctrl-C rolls the migration under way back', async () => {
    const endless = 'with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n';
    const folder = await folderWith({ 'migrations/1_slow.sql': `create table t (a);\n${endless}` });
    const interrupt = new AbortController();
    setTimeout(() => interrupt.abort(), 2_000);
    const end = await spawnMillpond(folder, ['migrate', 'up', ...URL_OPTION], interrupt.signal);
    expect([end.code, end.stderr.trim()]).toEqual([130, 'Interrupted.']);
    await using db = await openDatabase({
      url: `sqlite:${join(folder, 'app.db')}`,
      name: false,
      log: 'silent',
    });
    expect(await db.value("select count(*) from sqlite_schema where name = 't'")).toBe(0);
  });
});
