import { mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { liveWorkers } from '../../fixtures/live-workers.ts';
import { openDatabase, type DatabaseOptions } from '../../../src/index.ts';
import {
  difference,
  FOLDED_ROWS,
  LOGGED_ROWS,
  makeBase,
  readFiles,
  textOf,
  writeFiles,
  type Files,
} from './base.ts';
import { Scratch } from './scratch.ts';
import { SmallDisk } from './small-disk.ts';

let scratch: Scratch;
let base: Files;
let lastName = 0;

beforeAll(() => {
  scratch = new Scratch();
  base = makeBase(scratch.file('base.db'));
});
afterEach(() => expect(liveWorkers()).toEqual([]));
afterAll(() => scratch[Symbol.dispose]());

describe('files that a crash or a careless copy left (C10)', () => {
  test('a log and no shared memory: everything is there', async () => {
    expect(await rowsOf(place({ '': base[''], '-wal': base['-wal'] }))).toBe(FOLDED_ROWS + LOGGED_ROWS);
  });

  test('a log and the shared memory of a dead process: everything is there', async () => {
    expect(await rowsOf(place(base))).toBe(FOLDED_ROWS + LOGGED_ROWS);
  });

  test('a log and shared memory that is garbage: everything is there', async () => {
    expect(await rowsOf(place({ ...base, '-shm': Buffer.alloc(32_768, 0x5a) }))).toBe(
      FOLDED_ROWS + LOGGED_ROWS,
    );
  });

  test('a copy without its log: what was in the file is there, whole', async () => {
    expect(await rowsOf(place({ '': base[''] }))).toBe(FOLDED_ROWS);
  });

  test('an empty log: what was in the file is there', async () => {
    expect(await rowsOf(place({ '': base[''], '-wal': Buffer.alloc(0) }))).toBe(FOLDED_ROWS);
  });

  test('a rollback journal of a transaction that was cut off: it is undone', async () => {
    const path = place(makeCutOffTransaction());
    expect(await rowsOf(path)).toBe(FOLDED_ROWS);
    expect(readFiles(path)['-journal']).toBeUndefined();
  });

  test.each([
    ['missing', { '-wal': 'log' }],
    ['empty', { '': 'nothing', '-wal': 'log' }],
  ])('a log whose database is %s: refused, and the log kept (B19)', async (what, layout) => {
    const path = place({ ...('' in layout ? { '': Buffer.alloc(0) } : {}), '-wal': base['-wal'] });
    const before = readFiles(path);
    await expect(open(path)).rejects.toMatchObject({
      code: 'ERR_MILLPOND_LOG_WITHOUT_DATABASE',
      message: expect.stringMatching(new RegExp(`is ${what}, but its log is there`)),
    });
    expect(difference(before, readFiles(path))).toEqual([]);
  });

  test('a folder that cannot be written: refused, naming the cause', async (context) => {
    context.skip(SmallDisk.missing() !== undefined, SmallDisk.missing());
    using disk = new SmallDisk(4);
    const path = join(disk.path, 'app.db');
    writeFiles(path, { '': base[''] });
    spawnSync('mount', ['-o', 'remount,ro', disk.path]);
    await expect(open(path)).rejects.toMatchObject({
      code: 'ERR_MILLPOND_CONNECTION',
      message: expect.stringContaining('may not write to the folder'),
    });
    await expect(open(join(disk.path, 'new', 'app.db'))).rejects.toThrow(
      /folder of the database file cannot be made/,
    );
  });
});

function place(files: Files): string {
  const folder = scratch.file(String((lastName += 1)));
  mkdirSync(folder);
  const path = join(folder, 'app.db');
  writeFiles(path, files);
  return path;
}

function open(path: string, options: DatabaseOptions = {}) {
  return openDatabase(`sqlite:${path}`, { log: 'silent', name: false, ...options });
}

/** Opens the file, checks every row, writes one more, and says how many there were. */
async function rowsOf(path: string): Promise<number> {
  await using db = await open(path);
  const rows = await db.all<{ id: number; number: number; text: string }>('select * from rows order by id');
  rows.forEach((row, index) =>
    expect(row).toEqual({ id: index + 1, number: index + 1, text: textOf(index + 1) }),
  );
  await db.run('insert into rows values (?, ?, ?)', [rows.length + 1, rows.length + 1, 'one more']);
  expect(await db.value('select count(*) from rows where number > 0')).toBe(rows.length + 1);
  return rows.length;
}

/** In the old journal mode, with pages of a transaction in the file that were never committed. */
function makeCutOffTransaction(): Files {
  const path = scratch.file('journal.db');
  writeFiles(path, { '': base[''] });
  const database = new DatabaseSync(path);
  database.exec(
    'pragma journal_mode = delete; pragma cache_size = 1; pragma cache_spill = 1; begin; delete from rows;',
  );
  database.exec(
    "with recursive n(i) as (select 1000 union all select i + 1 from n where i < 3000) insert into rows select i, i, 'never committed' from n",
  );
  const files = readFiles(path);
  database.exec('rollback');
  database.close();
  expect(files['-journal']?.length, 'the journal holds pages').toBeGreaterThan(1_000);
  return files;
}
