import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { ConnectionPoolExhaustedError } from '../../src/index.ts';
import { expectAtRest, openScratch, outcomes, scratchForAll } from '../fixtures/scratch-database.ts';
import { scaled, scaledTimeoutMs } from '../fixtures/scale.ts';

const SCHEMA = 'create table row (id integer primary key, caller int, step int)';

describe('under a burst of writes', () => {
  const scratch = scratchForAll(SCHEMA);
  afterEach(async () => {
    await expectAtRest(scratch.db);
    await scratch.db.run('delete from row');
  });

  test(
    '10,000 at once are all written, in the order of each caller, and the next alone is fast again (C26)',
    async () => {
      const { db } = scratch;
      const callers = 100;
      const steps = scaled(100);
      const calls = Array.from({ length: callers * steps }, (_, index) =>
        db.run('insert into row (caller, step) values (?, ?)', [
          index % callers,
          Math.floor(index / callers),
        ]),
      );
      const told = await outcomes(calls);
      expect(told.filter((one) => one instanceof Error)).toEqual([]);
      const rows = await db.all<{ caller: number; step: number }>('select caller, step from row order by id');
      for (const [caller, own] of Map.groupBy(rows, (row) => row.caller)) {
        expect(
          own.map(({ step }) => step),
          `caller ${caller}`,
        ).toEqual(Array.from({ length: steps }, (_, step) => step));
      }
      await sleep(50);
      const aloneMs = async (): Promise<number> => {
        const startedAt = performance.now();
        await db.run('insert into row (caller, step) values (-1, 0)');
        return performance.now() - startedAt;
      };
      // Again where the disk stood still meanwhile.
      await expect.poll(aloneMs).toBeLessThan(2_500);
    },
    scaledTimeoutMs(),
  );

  test('a caller alone waits for nobody: each write is committed by itself (C26)', async () => {
    const { db } = scratch;
    const before = db.stats().sqlite!;
    for (let step = 0; step < 20; step += 1)
      await db.run('insert into row (caller, step) values (1, ?)', [step]);
    const after = db.stats().sqlite!;
    expect(Number(after['groupCommits']) - Number(before['groupCommits'])).toBe(20);
    expect(Number(after['groupedWrites']) - Number(before['groupedWrites'])).toBe(20);
  });

  test('one long transaction holds the others up for as long as it takes, and no longer (C26)', async () => {
    const { db } = scratch;
    const heldMs = 1_500;
    const read = Promise.withResolvers<void>();
    let [isHeld, freeAt] = [true, 0];
    const long = db.transaction(async (tx) => {
      await tx.run('insert into row (caller, step) values (0, 0)');
      // However long a slow machine takes to read.
      await Promise.all([sleep(heldMs), read.promise]);
      [isHeld, freeAt] = [false, performance.now()];
      await tx.run('insert into row (caller, step) values (0, 1)');
    });
    await sleep(20);
    const writes = Array.from({ length: 50 }, (_, step) =>
      db.run('insert into row (caller, step) values (1, ?)', [step]),
    );
    const transactions = Array.from({ length: 10 }, (_, step) =>
      db.transaction((tx) => tx.run('insert into row (caller, step) values (2, ?)', [step])),
    );
    // Reads need no writer.
    expect(await db.value('select count(*) from row where caller = 0')).toBe(0);
    expect(isHeld).toBe(true);
    read.resolve();
    const told = await outcomes<unknown>([long, ...writes, ...transactions]);
    expect(told.filter((one) => one instanceof Error)).toEqual([]);
    expect(performance.now() - freeAt).toBeLessThan(5_000);
  });

  test('ten times more callers than may wait are refused at once, and with fewer all is as before (C74, B10)', async () => {
    const maxWaiting = 40;
    const { db } = await openScratch(SCHEMA, { pool: { maxWaiting } });
    let isOver = false;
    const told = { committed: 0, refused: 0 };
    const strange: unknown[] = [];
    const insist = async (): Promise<void> => {
      while (!isOver) {
        const [outcome] = await outcomes([
          db.transaction((tx) => tx.run('insert into row (caller) values (1)')),
        ]);
        if (!(outcome instanceof Error)) told.committed += 1;
        else if (outcome instanceof ConnectionPoolExhaustedError && outcome.retryable) told.refused += 1;
        else strange.push(outcome);
        // Who is refused comes again soon.
        if (outcome instanceof Error) await sleep(20);
      }
    };
    const callers = Array.from({ length: 10 * maxWaiting }, insist);
    let mostWaiting = 0;
    for (let look = 0; look < 60; look += 1) {
      await sleep(10);
      mostWaiting = Math.max(mostWaiting, db.stats().pool.waiting);
    }
    isOver = true;
    await Promise.all(callers);
    expect(strange).toEqual([]);
    expect(mostWaiting).toBeLessThanOrEqual(maxWaiting);
    expect(told.refused).toBeGreaterThan(5 * maxWaiting);
    expect(told.committed, 'those who are let in are served').toBeGreaterThan(maxWaiting);
    const few = Array.from({ length: maxWaiting }, () => db.run('insert into row (caller) values (2)'));
    expect((await outcomes(few)).filter((one) => one instanceof Error)).toEqual([]);
    expect(await db.value('select count(*) from row where caller = 1')).toBe(told.committed);
    await expectAtRest(db);
  });

  test('neither transactions nor single writes starve the other (C26)', async () => {
    const { db } = scratch;
    let isOver = false;
    const counts = { writes: 0, transactions: 0 };
    const write = async (): Promise<void> => {
      while (!isOver) {
        await db.run('insert into row (caller, step) values (1, 0)');
        counts.writes += 1;
      }
    };
    const transact = async (): Promise<void> => {
      while (!isOver) {
        await db.transaction((tx) => tx.run('insert into row (caller, step) values (2, 0)'));
        counts.transactions += 1;
      }
    };
    const all = [...Array.from({ length: 8 }, write), ...Array.from({ length: 8 }, transact)];
    await sleep(800);
    // One of each caller is let in anyway, before or after.
    await expect.poll(() => counts.writes).toBeGreaterThan(8);
    await expect.poll(() => counts.transactions).toBeGreaterThan(8);
    isOver = true;
    await Promise.all(all);
  });
});
