import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { scratchPath } from '../../fixtures/scratch-database.ts';
import { sharedPostgresDatabase } from '../../servers/shared.ts';

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
/** So many that it is still under way when it is looked for. */
const ROWS = 30_000;
const COPYING =
  "select pid from pg_stat_activity where datname = current_database() and query ilike 'copy %' and pid <> pg_backend_pid()";

interface Run {
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; said: string }>;
}

/** The command in a process of its own. */
function startCopy(path: string, url: string): Run {
  const child = spawn(process.execPath, [MAIN, 'copy', `sqlite:${path}`, url], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  for (const output of [child.stdout, child.stderr])
    output.on('data', (bytes: Buffer) => (said += bytes.toString()));
  return {
    kill: (signal) => void child.kill(signal),
    ended: once(child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      said,
    })),
  };
}

function createSource(): string {
  const path = scratchPath();
  const source = new DatabaseSync(path);
  source.exec(`pragma journal_mode = wal;
    create table first (id integer primary key, t text);
    create table second (id integer primary key, t text);
    with recursive n (i) as (values (1) union all select i + 1 from n where i < ${ROWS})
      insert into first select i, 'row ' || i from n;
    insert into second select * from first`);
  source.close();
  return path;
}

/** The process of the server that takes the rows. */
async function copying(target: Database): Promise<number> {
  let pid: number | undefined;
  await expect
    .poll(async () => (pid = await target.value<number>(COPYING)), { interval: 5, timeout: 20_000 })
    .toBeDefined();
  return pid!;
}

test('a copy that is killed, interrupted or cut off leaves nothing, and runs again (J14, B1)', async () => {
  const [path, url] = [createSource(), await sharedPostgresDatabase()];
  await using target = await openDatabase(url, { name: false, log: 'silent' });
  const leftovers = "select relname from pg_class where relnamespace = 'public'::regnamespace";

  const killed = startCopy(path, url);
  await copying(target);
  killed.kill('SIGKILL');
  expect(await killed.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
  await expect.poll(() => target.value(COPYING)).toBeUndefined();
  expect(await target.all(leftovers)).toEqual([]);

  const interrupted = startCopy(path, url);
  await copying(target);
  interrupted.kill('SIGINT');
  expect(await interrupted.ended).toMatchObject({ code: 130, said: 'Interrupted.\n' });
  expect(await target.all(leftovers)).toEqual([]);

  const cutOff = startCopy(path, url);
  await target.value('select pg_terminate_backend(:pid, 5000)', { pid: await copying(target) });
  expect(await cutOff.ended).toMatchObject({
    code: 3,
    said: expect.stringContaining('its connection was lost'),
  });
  expect(await target.all(leftovers)).toEqual([]);

  expect(await startCopy(path, url).ended).toMatchObject({
    code: 0,
    said: expect.stringContaining('The same in both'),
  });
  const counts = 'select (select count(*) from first), (select count(*) from second)';
  expect(await target.arrays(counts)).toEqual([[ROWS, ROWS]]);
}, 60_000);
