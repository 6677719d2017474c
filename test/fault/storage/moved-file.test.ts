import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { liveWorkers } from '../../fixtures/live-workers.ts';
import { openDatabase, type Database } from '../../../src/index.ts';
import { runningTime } from '../../fixtures/running-time.ts';
import { underWay } from '../../fixtures/scratch-database.ts';
import { Scratch } from './scratch.ts';

/** The path is looked at ten times a second, by a machine that may be busy. */
const DETECTED_WITHIN_MS = 2_500;

let scratch: Scratch;
let path: string;
let db: Database;

beforeEach(async () => {
  scratch = new Scratch();
  path = scratch.file('app.db');
  const healthCheck = { intervalMs: 100, retryIntervalMs: 100 };
  const pool = { createTimeoutMs: 60_000 };
  db = await openDatabase(`sqlite:${path}`, { log: 'silent', name: false, healthCheck, pool });
  await db.script('create table rows (id integer primary key, payload text not null)');
  await insert();
  // The reader for this is open from here on.
  await db.value('select count(*) from rows');
});
afterEach(async () => {
  // What callers shared goes back a moment after the last answer.
  await expect.poll(() => underWay(db)).toEqual({ leased: 0, waiting: 0, active: 0 });
  await db.close();
  expect(liveWorkers()).toEqual([]);
  scratch[Symbol.dispose]();
});

describe('a database file that changes under an open database (C12, B19)', () => {
  test('is missed soon when it was moved: no write is accepted any more, and health says why', async () => {
    renameSync(path, scratch.file('moved.db'));
    await expectStopped('gone');
    expect(existsSync(path), 'another file was made in its place').toBe(false);
  });

  test('is missed soon when it was deleted', async () => {
    rmSync(path);
    await expectStopped('gone');
    expect(existsSync(path), 'another file was made in its place').toBe(false);
  });

  test('is not confused with one that was put in its place, which stays as it is', async () => {
    const replacement = await makeDatabase('replacement.db');
    const before = readFileSync(replacement);
    renameSync(replacement, path);
    await expectStopped('another file');
    await db.close();
    expect(readFileSync(path).equals(before), 'the other file is unchanged').toBe(true);
  });

  test('stops a transaction that was begun before', async () => {
    const tx = await db.begin();
    await tx.run("insert into rows (payload) values ('in a transaction')");
    const missed = new Promise((resolve) => void db.on('health:down', resolve));
    renameSync(path, scratch.file('moved.db'));
    await missed;
    await expect(tx.commit()).rejects.toMatchObject({ code: 'ERR_MILLPOND_FILE_CHANGED' });
    expect(await db.value('select count(*) from rows')).toBe(1);
  });

  test('is not opened by a reader that comes later', async () => {
    renameSync(await makeDatabase('replacement.db'), path);
    // The backup has opened one of them; there are none but new ones beside it.
    const held: AsyncDisposable[] = [];
    const acquire = async () => held.push(await db.acquire({ timeoutMs: 1_500 }));
    await expect(Promise.all([acquire(), acquire(), acquire(), acquire(), acquire()])).rejects.toMatchObject({
      cause: { code: 'ERR_MILLPOND_FILE_CHANGED' },
    });
    for (const lease of held) await lease[Symbol.asyncDispose]();
  });
});

/** Writes until it is refused, then looks at everything else. */
async function expectStopped(what: string): Promise<void> {
  using running = runningTime();
  let error: unknown;
  while (error === undefined && running.ms < 10_000) {
    error = await insert().then(
      () => undefined,
      (reason: unknown) => reason,
    );
  }
  expect(running.ms).toBeLessThan(DETECTED_WITHIN_MS);
  expect(error).toMatchObject({ code: 'ERR_MILLPOND_FILE_CHANGED', message: expect.stringContaining(what) });
  const writes = [
    () => insert(),
    () => db.transaction(() => insert()),
    () => db.batch(['delete from rows']),
    () => db.script('delete from rows'),
  ];
  for (const write of writes)
    await expect(write()).rejects.toMatchObject({ code: 'ERR_MILLPOND_FILE_CHANGED' });
  expect(await db.health()).toMatchObject({
    status: 'down',
    checks: [{ error: { code: 'ERR_MILLPOND_FILE_CHANGED' } }],
  });
  // Several health checks: none of them may drop the connections, there will be no others.
  await sleep(350);
  expect(await db.value('select count(*) from rows'), 'reads go on').toBeGreaterThan(0);
}

async function makeDatabase(name: string): Promise<string> {
  const copy = scratch.file(name);
  await db.backup(copy);
  return copy;
}

function insert(): Promise<unknown> {
  return db.run("insert into rows (payload) values ('a row')");
}
