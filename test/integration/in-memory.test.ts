import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase, type Database, type DatabaseOptions } from '../../src/index.ts';
import type * as Interrupt from '../../src/sqlite/interrupt.ts';
import { kill, liveWorkers, type Death } from '../fixtures/live-workers.ts';
import { runningTime } from '../fixtures/running-time.ts';
import { expectAtRest, outcomes, rejection, scratchPath } from '../fixtures/scratch-database.ts';

// As on a machine where the interrupt extension was not built: nothing stops a statement that gives no row.
vi.mock('../../src/sqlite/interrupt.ts', async (importOriginal) => ({
  ...(await importOriginal<typeof Interrupt>()),
  loadInterrupter: () => undefined,
}));

/** One to three seconds. */
const LONG =
  'with recursive n (i) as (select 1 union all select i + 1 from n where i < 6e6) select count(*) from n';

async function openInMemory(options: DatabaseOptions = {}): Promise<Database> {
  // Where nothing stops a statement, the next waits for it as long as a slow machine needs.
  const pool = { createTimeoutMs: 60_000, acquireTimeoutMs: 60_000, ...options.pool };
  const db = await openDatabase({ url: 'sqlite::memory:', name: false, log: 'silent', ...options, pool });
  onTestFinished(() => db.close({ timeoutMs: 500 }));
  await db.script('create table kept (x); insert into kept values (1)');
  return db;
}

/** Holds the only connection until the returned function is called. */
async function hold(db: Database): Promise<() => Promise<void>> {
  const transaction = await db.begin();
  return () => transaction.commit();
}

describe('a database with one connection', () => {
  test.each(['sqlite::memory:', 'a file'])('is not down for being busy: %s', async (url) => {
    const file = url === 'a file' ? { url: `sqlite:${scratchPath()}`, pooled: false } : {};
    const options = {
      healthCheck: { intervalMs: 100, retryIntervalMs: 100 },
      pool: { acquireTimeoutMs: 5_000 },
    };
    const db = await openInMemory({ ...file, ...options });
    const heard: string[] = [];
    db.on('health:down', () => heard.push('down'));
    const release = await hold(db);
    using running = runningTime();
    expect(await db.health()).toMatchObject({ status: 'up' });
    expect(running.ms).toBeLessThan(4_000);
    await sleep(250);
    await release();
    expect(await db.value('select count(*) from kept')).toBe(1);
    expect(heard).toEqual([]);
    await expectAtRest(db);
  });

  test('is not down either where somebody takes the connection while it is being checked', async () => {
    const db = await openInMemory({ pool: { acquireTimeoutMs: 500 } });
    // The check asks what its statement does, and then runs it: the transaction comes between.
    const checked = db.health();
    const release = await hold(db);
    expect(await checked).toMatchObject({ status: 'up' });
    await release();
    await expectAtRest(db);
  });
});

describe('a database in memory', () => {
  test('outlives a transaction that could not be stopped in time', async () => {
    const db = await openInMemory({ cancelGraceMs: 50 });
    const late = await rejection(db.transaction((tx) => tx.value(LONG), { timeoutMs: 100 }));
    expect(late).toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT', rollback: 'pending' });
    expect(await db.value('select count(*) from kept')).toBe(1);
    await expectAtRest(db);
  });

  const calls: Record<string, (db: Database) => Promise<unknown>> = {
    'a read': (db) => db.all('select * from kept'),
    'a write': (db) => db.run('insert into kept values (2)'),
    'a batch': (db) => db.batch(['insert into kept values (2)']),
    'a script': (db) => db.script('create table if not exists kept (x)'),
    'a stream': (db) => db.stream('select * from kept').next(),
    'a transaction': (db) => db.transaction(() => 1),
    'a transaction by hand': (db) => db.begin(),
    'a lease': (db) => db.acquire(),
    'a copy': (db) => db.backup(scratchPath()),
  };

  /** What the connection does when its thread dies, with the calls that go down with it. */
  const moments: Record<string, (db: Database) => Promise<Promise<unknown>[]>> = {
    idle: () => Promise.resolve([]),
    'held, with others in line': async (db) => {
      await hold(db);
      return [db.run('insert into kept values (2)'), db.all('select * from kept'), db.transaction(() => 1)];
    },
    'at work': async (db) => {
      const call = db.value(LONG);
      await sleep(50);
      return [call];
    },
  };

  const deaths: Death[] = ['terminate', 'uncaught throw'];
  const cases = Object.keys(moments).flatMap((moment) => deaths.map((death) => [moment, death] as const));

  test.each(cases)('that was lost says so, and is not empty: %s, %s', async (moment, death) => {
    const db = await openInMemory({ healthCheck: { intervalMs: 100, retryIntervalMs: 100 } });
    const heard: string[] = [];
    db.on('health:down', ({ error }) => heard.push(error.message));
    db.on('health:reconnecting', () => heard.push('reconnecting'));
    const under = outcomes(await moments[moment]!(db));
    kill(liveWorkers('writer').at(-1)!, death);
    const gone = {
      name: 'ConnectionError',
      code: 'ERR_MILLPOND_MEMORY_LOST',
      retryable: false,
      message: expect.stringMatching(/^The database in memory is gone/),
    };
    // A statement that runs may still come to its end; nobody is left without an answer.
    const failed = (await under).filter((outcome) => outcome instanceof Error);
    for (const error of failed) expect(error).toMatchObject({ name: 'ConnectionError' });
    expect(failed).toHaveLength(moment.startsWith('held') ? 3 : failed.length);
    await expect.poll(() => liveWorkers('writer')).toEqual([]);
    for (const [kind, call] of Object.entries(calls))
      expect(await rejection(call(db)), kind).toMatchObject(gone);
    expect(await db.health()).toMatchObject({ status: 'down', checks: [{ error: gone }] });
    await sleep(300);
    expect(heard).toEqual([expect.stringMatching(/^The database in memory is gone/)]);
    expect(liveWorkers('writer')).toEqual([]);
    expect(db.stats().pool).toMatchObject({ leased: 0, waiting: 0 });
  });
});
