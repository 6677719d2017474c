import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { liveWorkers } from '../fixtures/live-workers.ts';
import { openDatabase, OutcomeUnknownError, type Database } from '../../src/index.ts';
import { openScratch, outcomes, rejection, scratchPath, type Scratch } from '../fixtures/scratch-database.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../fixtures/scale.ts';

const SCHEMA = `create table row (id integer primary key, note text);
  create table number (n int);
  insert into number with recursive n (i) as (select 1 union all select i + 1 from n where i < 5000) select i from n`;
const ENDLESS =
  'with recursive n (i) as (select 1 union all select i + 1 from n where i < 1e10) select count(*) from n';
/** Promised over the configured limit, for the grace of cancellations and the end of threads; a busy machine. */
const SLACK_MS = 2_500 + 7_500;

/** Closes, and checks what must hold however it went: in time, nothing left running, the file sound. */
async function expectClosed({ db, path }: Scratch, timeoutMs: number): Promise<DatabaseSync> {
  const startedAt = performance.now();
  await db.close({ timeoutMs });
  expect(performance.now() - startedAt).toBeLessThan(timeoutMs + SLACK_MS);
  expect(liveWorkers()).toHaveLength(0);
  expect(
    process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort' || kind === 'Worker'),
  ).toEqual([]);
  expect(await rejection(db.value('select 1'))).toMatchObject({ code: 'ERR_MILLPOND_CLOSED' });
  const file = new DatabaseSync(path, { readOnly: true });
  onTestFinished(() => file.close());
  expect(file.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
  return file;
}

/** Calls of every kind; the first writes id 1, the second id 2 … */
function load(db: Database, count: number, random: () => number): Promise<unknown>[] {
  return Array.from({ length: count }, (_, index) => {
    const id = index + 1;
    const insert = 'insert into row values (?, null)';
    const kinds: (() => Promise<unknown>)[] = [
      () => db.run(insert, [id]),
      () => db.batch([[insert, [id]]]),
      () => db.transaction((tx) => tx.run(insert, [id])),
      () =>
        db.transaction(async (tx) => {
          await tx.run(insert, [id]);
          await sleep(random() * 5);
        }),
    ];
    return kinds[Math.floor(random() * kinds.length)]!();
  });
}

function isWrong(outcome: unknown, isThere: boolean): boolean {
  return !(outcome instanceof OutcomeUnknownError) && isThere === outcome instanceof Error;
}

function readers(db: Database, count: number): Promise<unknown>[] {
  return Array.from({ length: count }, async (_, index) => {
    if (index % 3 === 0) return db.value('select count(*) from number');
    if (index % 3 === 1) return db.json('select * from number');
    let rows = 0;
    for await (const row of db.stream('select n from number')) if (row !== undefined) rows += 1;
    return rows;
  });
}

describe('close', () => {
  test(
    'under load: every call is answered, and the file says what each was told (C24, C56)',
    async () => {
      const random = randomFrom(seed);
      for (let round = 0; round < scaled(8); round += 1) {
        const timeoutMs = round % 2 === 0 ? 20_000 : 0;
        const scratch = await openScratch(SCHEMA);
        const { db } = scratch;
        const writes = outcomes(load(db, 60, random));
        const reads = outcomes(readers(db, 12));
        await sleep(random() * 12);
        const closing = expectClosed(scratch, timeoutMs);
        // Whoever comes later is refused at once.
        const late = await rejection(db.run('insert into row values (0, null)'));
        expect(late).toMatchObject({ code: 'ERR_MILLPOND_CLOSED' });
        const file = await closing;
        const ids = new Set(
          file
            .prepare('select id from row')
            .all()
            .map((row) => row['id']),
        );
        const told = await writes;
        const wrong = told.filter((outcome, index) => isWrong(outcome, ids.has(index + 1)));
        expect(wrong, `seed ${seed}`).toEqual([]);
        // With time to finish, what was accepted does.
        const failed = [...told, ...(await reads)].filter((outcome) => outcome instanceof Error);
        expect(timeoutMs === 0 || failed.length === 0, `${String(failed[0])}, seed ${seed}`).toBe(true);
        expect(ids.has(0)).toBe(false);
      }
    },
    scaledTimeoutMs(),
  );

  test('folds the log into the file, and leaves no other file beside it (C56)', async () => {
    const scratch = await openScratch(SCHEMA);
    await scratch.db.run("insert into row values (1, 'kept')");
    expect(existsSync(`${scratch.path}-wal`)).toBe(true);
    await scratch.db.close();
    expect([existsSync(`${scratch.path}-wal`), existsSync(`${scratch.path}-shm`)]).toEqual([false, false]);
    const file = await expectClosed(scratch, 0);
    expect(file.prepare('select note from row').get()).toEqual({ note: 'kept' });
  });

  test('twice, and from two places, is one closing (C56)', async () => {
    const scratch = await openScratch(SCHEMA);
    const write = scratch.db.run("insert into row values (1, 'kept')");
    await Promise.all([
      scratch.db.close(),
      scratch.db.close({ timeoutMs: 0 }),
      scratch.db[Symbol.asyncDispose](),
    ]);
    expect(await write).toMatchObject({ rowsAffected: 1 });
    await expectClosed(scratch, 0);
  });

  /** What somebody forgot, or what nothing ends by itself; with the calls that still wait for an answer. */
  const forgotten: Record<string, (db: Database, path: string) => Promise<unknown>[] | Promise<void>> = {
    'a transaction by hand': async (db) => {
      const tx = await db.begin();
      await tx.run("insert into row values (1, 'forgotten')");
    },
    'a transaction that never ends': (db) => [
      db.transaction(async (tx) => {
        await tx.run("insert into row values (1, 'forgotten')");
        await new Promise(() => undefined);
      }),
    ],
    'a lease': async (db) => {
      const { connection } = await db.acquire();
      await connection.value('select 1');
    },
    'a stream': async (db) => {
      await db.stream('select n from number').next();
    },
    'a stream in a transaction': async (db) => {
      const tx = await db.begin({ readOnly: true });
      await tx.stream('select n from number').next();
    },
    'a read without end': (db) => [db.value(ENDLESS)],
    'a write without end': (db) => [db.run(`insert into row select 1, 'endless' from (${ENDLESS})`)],
    'more reads without end than there are readers': (db) =>
      Array.from({ length: 12 }, () => db.value(ENDLESS)),
    'writes behind a transaction': (db) => [
      db.transaction(() => new Promise(() => undefined)),
      db.run("insert into row values (2, 'behind')"),
      db.transaction((next) => next.run("insert into row values (3, 'behind')")),
    ],
    'the lock of another process': (db, path) => {
      const other = new DatabaseSync(path);
      other.exec('begin immediate');
      onTestFinished(() => other.close());
      return [db.run("insert into row values (1, 'waiting')")];
    },
    'a copy under way': (db, path) => [db.backup(`${path}.copy`)],
  };

  test.each(Object.keys(forgotten))('ends %s at its limit (C24, C56)', async (name) => {
    const scratch = await openScratch(SCHEMA, { pool: { max: 2 } });
    const calls = forgotten[name]!(scratch.db, scratch.path);
    const told = Array.isArray(calls) ? outcomes(calls) : calls.then(() => []);
    await (Array.isArray(calls) ? sleep(30) : calls);
    const file = await expectClosed(scratch, 100);
    // All are answered, one way or the other; what is there was acknowledged.
    const committed = (await told).filter(
      (one) => typeof one === 'object' && one !== null && 'rowsAffected' in one,
    );
    expect(file.prepare('select * from row').all()).toHaveLength(committed.length);
  });

  test('while a reader is opened for the first read (C56)', async () => {
    for (let round = 0; round < 5; round += 1) {
      const scratch = await openScratch(SCHEMA, { inlineReads: false });
      const read = outcomes([scratch.db.value('select count(*) from number')]);
      const second = outcomes([scratch.db.acquire()]);
      await sleep(round * 10);
      await expectClosed(scratch, 50);
      await Promise.all([read, second]);
    }
  });

  test('leaves nothing where opening failed (C56)', async () => {
    const path = scratchPath();
    const url = `sqlite:${path}`;
    const first = new DatabaseSync(path);
    first.exec('pragma journal_mode = wal; begin exclusive');
    const failed = await outcomes([
      openDatabase({ url: 'sqlite:/dev/null/nowhere.db', name: 'failing', log: 'silent' }),
      openDatabase({ url, name: 'failing too', log: 'silent', initScript: 'no such file' }),
    ]);
    for (const one of failed) expect(one).toBeInstanceOf(Error);
    first.close();
    expect(liveWorkers()).toHaveLength(0);
    // Its name is free again.
    const db = await openDatabase({ url, name: 'failing', log: 'silent' });
    await db.close();
    expect(liveWorkers()).toHaveLength(0);
  });
});
