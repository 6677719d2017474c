import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { liveWorkers } from '../../fixtures/live-workers.ts';
import { openDatabase } from '../../../src/index.ts';
import { scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { damageFiles } from './damaged-file.ts';
import { damageLog } from './log-tail.ts';
import { Scratch } from './scratch.ts';

test(
  'refuses a damaged file and leaves it as it is, or stops writing when damage is met (C11, B13, B19)',
  async () => {
    const { counts, broken } = await damageFiles({ count: scaled(24), seed });
    expect(broken, `seed ${seed}`).toEqual([]);
    expect(counts).toMatchObject({ files: scaled(24) });
    expect(counts['refused']).toBeGreaterThan(0);
    expect(counts['stopped'], 'damage was met after opening').toBeGreaterThan(0);
  },
  scaledTimeoutMs(),
);

test(
  'opens a file whose log is cut or has a wrong bit with a prefix of what was committed (C05, B3)',
  async () => {
    const { counts, broken } = await damageLog({ count: scaled(8), seed });
    expect(broken, `seed ${seed}`).toEqual([]);
    expect(counts['rowsKept'], 'some of the log was good').toBeGreaterThan(0);
  },
  scaledTimeoutMs(),
);

describe('what is no database file (C11)', () => {
  let scratch: Scratch;
  beforeEach(() => (scratch = new Scratch()));
  afterEach(() => {
    expect(liveWorkers()).toEqual([]);
    scratch[Symbol.dispose]();
  });

  test('a folder is refused', async () => {
    mkdirSync(scratch.file('app.db'));
    await expect(open(scratch.file('app.db'))).rejects.toThrow(/is a folder/);
  });

  test('a pipe is refused at once, not waited for', async () => {
    spawnSync('mkfifo', [scratch.file('app.db')]);
    await expect(open(scratch.file('app.db'))).rejects.toThrow(/no regular file/);
  });

  test('a device is refused, behind a link too', async () => {
    symlinkSync('/dev/full', scratch.file('app.db'));
    await expect(open('/dev/full')).rejects.toThrow(/no regular file/);
    await expect(open(scratch.file('app.db'))).rejects.toThrow(/no regular file/);
  });

  test('an empty file is an empty database', async () => {
    writeFileSync(scratch.file('app.db'), '');
    await using db = await open(scratch.file('app.db'));
    expect(await db.value('select count(*) from sqlite_schema')).toBe(0);
  });

  test('a link to nothing becomes a new database at its end', async () => {
    symlinkSync(scratch.file('elsewhere.db'), scratch.file('app.db'));
    const db = await open(scratch.file('app.db'));
    await db.script('create table rows (id int)');
    await db.close();
    rmSync(scratch.file('app.db'));
    await using again = await open(scratch.file('elsewhere.db'));
    expect(await again.value('select count(*) from sqlite_schema')).toBe(1);
  });
});

function open(path: string) {
  return openDatabase(`sqlite:${path}`, { log: 'silent', name: false });
}
