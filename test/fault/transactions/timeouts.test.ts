import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { TimeoutError, TransactionClosedError, type Database, type Transaction } from '../../../src/index.ts';
import {
  expectAtRest,
  openScratch,
  outcomes,
  rejection,
  scratchForAll,
} from '../../fixtures/scratch-database.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';

const SCHEMA = 'create table row (id integer primary key, note text)';
const LIMIT_MS = 40;
/** Longer than by default: a slow machine takes its time to stop a statement, or to commit. */
const GRACE_MS = 3_000;
/** Configured, plus the grace, plus a busy machine. */
const BOUND_MS = LIMIT_MS + GRACE_MS + 5_000;
/** Counts for minutes if nobody stops it. */
const ENDLESS = 'with recursive n (i) as (select 1 union all select i + 1 from n where i < 1e10)';

const scratch = scratchForAll(SCHEMA, { transactionTimeoutMs: LIMIT_MS, cancelGraceMs: GRACE_MS });
let other: DatabaseSync;

beforeAll(() => {
  other = new DatabaseSync(scratch.path);
});
afterEach(async () => {
  await expectAtRest(scratch.db);
  await scratch.db.run('delete from row');
});
afterAll(() => other.close());

function countedByOther(): unknown {
  return other.prepare('select count(*) as rows from row').get()!['rows'];
}

/** A transaction that is ended at its limit: soon enough, told so, rolled back, and its lock free at once. */
async function expectTimedOut(
  work: (tx: Transaction) => Promise<unknown>,
): Promise<Error & Record<string, unknown>> {
  const startedAt = performance.now();
  const error = await rejection(scratch.db.transaction(work));
  expect(performance.now() - startedAt).toBeLessThan(BOUND_MS);
  expect(error).toBeInstanceOf(TimeoutError);
  expect(error).toMatchObject({ timeoutMs: LIMIT_MS, rollback: 'confirmed' });
  other.exec('begin immediate; rollback');
  expect(countedByOther()).toBe(0);
  return error;
}

describe('a transaction at its time limit is rolled back before its caller is told (C27)', () => {
  test('while its function does something else', async () => {
    const late = Promise.withResolvers<void>();
    await expectTimedOut(async (tx) => {
      await tx.run('insert into row (id) values (1)');
      await late.promise;
    });
    late.resolve();
  });

  test('while a write is running', async () => {
    await expectTimedOut((tx) => tx.run(`insert into row ${ENDLESS} select i + 10, 'endless' from n`));
  });

  test('while a read is running', async () => {
    await expectTimedOut(async (tx) => {
      await tx.run('insert into row (id) values (1)');
      await tx.value(`${ENDLESS} select count(*) from n`);
    });
  });

  test('while its rows are streamed', async () => {
    await expectTimedOut(async (tx) => {
      await tx.run('insert into row (id) values (1)');
      for await (const row of tx.stream(`${ENDLESS} select i from n`)) if (row['i'] === 0) return;
    });
  });

  test('while its BEGIN waits for the lock of another process', async () => {
    other.exec('begin immediate');
    const error = await rejection(scratch.db.transaction((tx) => tx.run('insert into row (id) values (1)')));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ timeoutMs: LIMIT_MS, rollback: 'confirmed' });
    other.exec('rollback');
    await sleep(50);
    expect(countedByOther()).toBe(0);
  });

  test('though its function swallows every error and goes on writing', async () => {
    const refusals: unknown[] = [];
    const stopped = Promise.withResolvers<void>();
    await expectTimedOut(async (tx) => {
      for (let id = 1; id <= 100; id += 1) {
        await tx.run('insert into row (id) values (?)', [id]).catch((error: unknown) => refusals.push(error));
        await sleep(2);
      }
      stopped.resolve();
    });
    await stopped.promise;
    expect(refusals.length).toBeGreaterThan(10);
    expect(refusals.slice(1).every((error) => error instanceof TransactionClosedError)).toBe(true);
    expect(countedByOther()).toBe(0);
  });

  test('with everything its savepoints did', async () => {
    const late = Promise.withResolvers<void>();
    await expectTimedOut(async (tx) => {
      await tx.transaction((inner) => inner.run('insert into row (id) values (1)'));
      await tx.transaction(async (inner) => {
        await inner.run('insert into row (id) values (2)');
        await late.promise;
      });
    });
    late.resolve();
  });

  test('where it was begun by hand and forgotten', async () => {
    const tx = await scratch.db.begin();
    // On a slow machine the limit comes first.
    await outcomes([tx.run('insert into row (id) values (1)')]);
    while (tx.state === 'active') await sleep(5);
    expect(await rejection(tx.run('insert into row (id) values (2)'))).toBeInstanceOf(TransactionClosedError);
    expect(await rejection(tx.commit())).toBeInstanceOf(TransactionClosedError);
    expect(countedByOther()).toBe(0);
  });

  test('where it is read-only, and lets go of its snapshot', async () => {
    const { db } = scratch;
    const late = Promise.withResolvers<void>();
    const error = await rejection(
      db.transaction(
        async (tx) => {
          await tx.value('select count(*) from row');
          await late.promise;
        },
        { readOnly: true },
      ),
    );
    expect(error).toMatchObject({ rollback: 'confirmed' });
    late.resolve();
    await db.run('insert into row (id) values (1)');
    // It cuts the log only where no reader needs it.
    const checkpoint = other.prepare('pragma wal_checkpoint(truncate)');
    await expect.poll(() => checkpoint.get()).toMatchObject({ busy: 0 });
  });

  test('at 0 never', async () => {
    const { db } = await openScratch(SCHEMA, { transactionTimeoutMs: 0, idleInTransactionTimeoutMs: 0 });
    await db.transaction(async (tx) => {
      await tx.run('insert into row (id) values (1)');
      await sleep(LIMIT_MS * 2);
    });
    expect(await db.value('select count(*) from row')).toBe(1);
  });
});

describe('a transaction without a statement under way', () => {
  test('is rolled back at the idle limit, and one at work is not (C27)', async () => {
    const idleMs = 500;
    const { db } = await openScratch(SCHEMA, { idleInTransactionTimeoutMs: idleMs });
    const startedAt = performance.now();
    await db.transaction(async (tx) => {
      for (let id = 1; id <= 12; id += 1) {
        await tx.run('insert into row (id) values (?)', [id]);
        await sleep(idleMs / 10);
      }
    });
    expect(performance.now() - startedAt, 'the one at work').toBeGreaterThan(idleMs);
    const late = Promise.withResolvers<void>();
    const error = await rejection(
      db.transaction(async (tx) => {
        await tx.run('insert into row (id) values (100)');
        await late.promise;
      }),
    );
    late.resolve();
    expect(error).toMatchObject({ timeoutMs: idleMs, rollback: 'confirmed' });
    expect(error.message).toContain('idle');
    expect(await db.value('select count(*) from row')).toBe(12);
    await expectAtRest(db);
  });
});

describe('a call that waits for the writer', () => {
  let release: () => void;
  let holder: Promise<void>;
  beforeEach(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    release = resolve;
    holder = scratch.db.transaction(() => promise, { timeoutMs: 0 });
    while (scratch.db.stats().transactions.active === 0) await sleep(1);
    onTestFinished(async () => {
      release();
      await holder;
    });
  });

  const calls: Record<string, () => Promise<unknown>> = {
    'a write': () => scratch.db.run('insert into row (id) values (1)', [], { timeoutMs: LIMIT_MS }),
    'a batch': () => scratch.db.batch(['insert into row (id) values (1)'], { timeoutMs: LIMIT_MS }),
    'a script': () => scratch.db.script('insert into row (id) values (1)', { timeoutMs: LIMIT_MS }),
  };

  test.each(Object.keys(calls))('%s ends at its limit, and does not happen later (C27)', async (name) => {
    const startedAt = performance.now();
    const error = await rejection(calls[name]!());
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ timeoutMs: LIMIT_MS, rollback: 'confirmed' });
    expect(performance.now() - startedAt).toBeLessThan(BOUND_MS);
    await expectNothingWrittenLater();
  });

  test.each([
    ['a write', (signal: AbortSignal) => scratch.db.run('insert into row (id) values (1)', [], { signal })],
    [
      'a transaction',
      (signal: AbortSignal) =>
        scratch.db.transaction((tx) => tx.run('insert into row (id) values (1)'), { signal }),
    ],
  ])('%s ends when its signal aborts (C27)', async (_name, send) => {
    const reason = new Error('the caller went away');
    const controller = new AbortController();
    const call = rejection(send(controller.signal));
    await sleep(10);
    controller.abort(reason);
    expect(await call).toBe(reason);
    await expectNothingWrittenLater();
  });

  async function expectNothingWrittenLater(): Promise<void> {
    release();
    await holder;
    await scratch.db.run("insert into row (id, note) values (2, 'behind it')");
    expect(other.prepare('select id from row').all()).toEqual([{ id: 2 }]);
  }
});

describe('a statement at its own limit inside a transaction', () => {
  test('does not take effect, whatever the transaction does then (C27)', async () => {
    const { db } = await openScratch(SCHEMA, { cancelGraceMs: GRACE_MS });
    let refusal: unknown;
    const outcome = await db
      .transaction(async (tx) => {
        await tx.run("insert into row values (1, 'before')");
        const endless = `insert into row ${ENDLESS} select i + 10, 'endless' from n`;
        refusal = await rejection(tx.run(endless, [], { timeoutMs: LIMIT_MS }));
        await tx.run("insert into row values (2, 'after')");
      })
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({ timeoutMs: LIMIT_MS });
    // SQLite undoes the whole transaction with an interrupted write, and the next statement is told.
    expect(outcome).toBeInstanceOf(TransactionClosedError);
    expect(await db.all('select id from row')).toEqual([]);
    await expectAtRest(db);
  });

  test('that was done when the limit passed is no timeout: the event loop was late, not the statement (C25)', async () => {
    const { db } = await openScratch(SCHEMA, { cancelGraceMs: GRACE_MS });
    const written = (blockedMs: number): Promise<unknown> =>
      db.transaction((tx) => {
        const write = tx.run("insert into row values (1, 'done')", [], { timeoutMs: LIMIT_MS });
        queueMicrotask(() => blockFor(blockedMs));
        return write;
      });
    const tries: unknown[] = [];
    // Where a slow machine had not done it meanwhile, it was a timeout: it is blocked for longer then.
    for (const blockedMs of [LIMIT_MS * 3, 1_000, 5_000]) {
      tries.push(...(await outcomes([written(blockedMs)])));
      if (!(tries.at(-1) instanceof Error)) break;
    }
    expect(tries.at(-1)).toEqual({ rowsAffected: 1, lastInsertId: 1 });
    expect(await db.value('select note from row')).toBe('done');
  });
});

describe('the end of a transaction and its limit at the same moment', () => {
  test(
    'have one outcome, which is what the file says (C27, C25)',
    async () => {
      const { db, path } = await openScratch(SCHEMA, { cancelGraceMs: GRACE_MS });
      const file = new DatabaseSync(path, { readOnly: true });
      const isThere = file.prepare('select 1 from row where id = ?');
      const random = randomFrom(seed);
      const told = { committed: 0, timedOut: 0 };
      // As long as this machine needs for one, so that either end may come first.
      const usualMs = await usualLengthMs((tx) => tx.run("insert into row (note) values ('before')"), db);
      await db.run('delete from row');
      for (let id = 1; id <= scaled(150); id += 1) {
        const timeoutMs = 3 + usualMs + random() * 6;
        const work = async (tx: Transaction): Promise<void> => {
          await tx.run('insert into row (id) values (?)', [id]);
          if (random() < 0.5) await sleep(random() * (10 + usualMs));
          else blockFor(random() * (10 + usualMs));
        };
        const [outcome] = await outcomes([db.transaction(work, { timeoutMs })]);
        // Never an unknown one: with a sound writer a COMMIT was on its way in time, or it was not.
        expect(outcome === undefined || outcome instanceof TimeoutError, String(outcome)).toBe(true);
        expect(isThere.get(id) !== undefined, `seed ${seed}, row ${id}`).toBe(outcome === undefined);
        told[outcome === undefined ? 'committed' : 'timedOut'] += 1;
      }
      expect(told.committed).toBeGreaterThan(scaled(10));
      expect(told.timedOut).toBeGreaterThan(scaled(10));
      file.close();
      await expectAtRest(db);
    },
    scaledTimeoutMs(),
  );
});

/** Of the middle one of some transactions. */
async function usualLengthMs(work: (tx: Transaction) => Promise<unknown>, db: Database): Promise<number> {
  const lengths: number[] = [];
  for (let round = 0; round < 15; round += 1) {
    const startedAt = performance.now();
    await db.transaction(work);
    lengths.push(performance.now() - startedAt);
  }
  return lengths.toSorted((a, b) => a - b)[7]!;
}

function blockFor(ms: number): void {
  const endAt = performance.now() + ms;
  while (performance.now() < endAt);
}
