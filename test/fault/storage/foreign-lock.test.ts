import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { liveWorkers } from '../../fixtures/live-workers.ts';
import { openDatabase, type Database } from '../../../src/index.ts';
import { expectAtRest } from '../../fixtures/scratch-database.ts';
import { Child } from './child.ts';
import { Scratch } from './scratch.ts';

const BUSY_TIMEOUT_MS = 500;
/** Until it is told to let go: a slow machine takes its time for what is done meanwhile. */
const HELD_MS = 50_000;

let scratch: Scratch;
let db: Database;
let children: Child[];

beforeEach(async () => {
  scratch = new Scratch();
  children = [];
  db = await openDatabase(`sqlite:${scratch.file('app.db')}`, {
    log: 'silent',
    name: false,
    busyTimeoutMs: BUSY_TIMEOUT_MS,
    sqlite: { walCheckpointBytes: 65_536 },
    pool: { createTimeoutMs: 60_000 },
  });
  await db.script('create table rows (id integer primary key, payload text not null)');
});
afterEach(async () => {
  await expectAtRest(db);
  await db.close();
  expect(liveWorkers()).toEqual([]);
  for (const child of children) child.kill();
  await Promise.all(children.map(({ ended }) => ended));
  scratch[Symbol.dispose]();
});

describe.each(['immediate', 'exclusive'])(
  'while another program holds a transaction begun %s (C15)',
  (mode) => {
    test('writes are told so at the busy timeout, reads go on, the event loop is never blocked, and it passes', async () => {
      const lock = await hold(mode, HELD_MS);
      const ends: Awaited<ReturnType<typeof timed>>[] = [];
      const slowestTurnMs = async (): Promise<number> => {
        const loop = watchLoop();
        ends.push(...(await Promise.all(Array.from({ length: 8 }, () => timed(insert())))));
        const work = db.transaction((tx) => tx.run("insert into rows (payload) values ('in a transaction')"));
        ends.push(await timed(work));
        expect(await db.value('select count(*) from rows'), 'a read meanwhile').toBe(0);
        return loop.end();
      };
      // Again where the machine stood still meanwhile.
      await expect
        .poll(slowestTurnMs, { message: 'the slowest turn of the event loop' })
        .toBeLessThan(BUSY_TIMEOUT_MS * 0.9);
      for (const { error, tookMs } of ends) {
        expect(error).toMatchObject({ code: 'ERR_MILLPOND_BUSY', retryable: true });
        expect(tookMs).toBeGreaterThan(BUSY_TIMEOUT_MS - 20);
        // Those that gathered behind the first begin to wait for the lock when it has given up.
        expect(tookMs).toBeLessThan(2 * BUSY_TIMEOUT_MS + 8_000);
      }
      lock.tell();
      await lock.ended;
      await insert();
      expect(await db.value('select count(*) from rows')).toBe(2);
    });
  },
);

test('is opened when a lock on the whole file is given back in time, and refused at the busy timeout when not (C15)', async () => {
  const open = (busyTimeoutMs = 20_000) =>
    openDatabase(`sqlite:${scratch.file('other.db')}`, {
      ...{ log: 'silent', name: false, busyTimeoutMs },
      pool: { createTimeoutMs: 60_000 },
    });
  const first = await open();
  await first.script('create table rows (id integer primary key, payload text not null)');
  await first.close();
  const short = await hold('whole', 300, 'other.db');
  const second = await open();
  expect(await second.value('select count(*) from rows'), 'what the other program wrote').toBe(1);
  await second.close();
  await short.ended;
  await hold('whole', HELD_MS, 'other.db');
  const refused = await timed(open(1_000));
  expect(refused.error).toMatchObject({
    code: 'ERR_MILLPOND_CONNECTION',
    message: expect.stringContaining('busyTimeoutMs'),
  });
  expect(refused.tookMs).toBeGreaterThan(980);
});

test('waits for a lock that is given back in time, and tells nobody (C15)', async () => {
  const lock = await hold('immediate', HELD_MS);
  const pool = { createTimeoutMs: 60_000 };
  const options = { log: 'silent', name: false, busyTimeoutMs: 20_000, pool } as const;
  await using patient = await openDatabase(`sqlite:${scratch.file('app.db')}`, options);
  const write = (): Promise<unknown> => patient.run("insert into rows (payload) values ('mine')");
  const writes = [write(), write(), patient.transaction(() => write())];
  await sleep(BUSY_TIMEOUT_MS / 3);
  lock.tell();
  await Promise.all(writes);
  await lock.ended;
  expect(await db.value('select count(*) from rows')).toBe(4);
});

test('names another program whose read pins the log, does not wait for it, and closes beside it (C15, C16)', async () => {
  const holders: string[] = [];
  db.on('sqlite:wal-pinned', ({ holder }) => holders.push(holder));
  await insert();
  await hold('read', HELD_MS);
  const payload = 'x'.repeat(3_000);
  const writes: number[] = [];
  for (let row = 0; row < 600; row += 1) writes.push((await timed(insert(payload))).tookMs);
  expect(holders[0]).toBe('another process');
  // But for two of them: a disk can stand still.
  expect(writes.toSorted((a, b) => b - a)[2], 'the slowest write').toBeLessThan(3_500);
  const beside = await openDatabase(`sqlite:${scratch.file('app.db')}`, { log: 'silent', name: false });
  await beside.run('delete from rows');
  expect((await timed(beside.close())).tookMs, 'to close').toBeLessThan(8_000);
});

async function hold(mode: string, forMs: number, name: string = 'app.db'): Promise<Child> {
  const child = new Child('hold-lock', [scratch.file(name), mode, String(forMs)], { isCovered: false });
  children.push(child);
  expect(await child.ready).toBe('held');
  return child;
}

function insert(payload: string = 'mine'): Promise<unknown> {
  return db.run('insert into rows (payload) values (?)', [payload]);
}

async function timed(work: Promise<unknown>): Promise<{ readonly error: unknown; readonly tookMs: number }> {
  const startedAt = performance.now();
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, tookMs: performance.now() - startedAt };
}

/** The longest time between two turns of the event loop. */
function watchLoop(): { end(): number } {
  let slowestMs = 0;
  let lastAt = performance.now();
  const timer = setInterval(() => {
    slowestMs = Math.max(slowestMs, performance.now() - lastAt);
    lastAt = performance.now();
  }, 1);
  return {
    end: () => {
      clearInterval(timer);
      return Math.max(slowestMs, performance.now() - lastAt);
    },
  };
}
