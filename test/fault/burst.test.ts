import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { expectAtRest, outcomes, scratchForAll } from '../fixtures/scratch-database.ts';
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
      const startedAt = performance.now();
      await db.run('insert into row (caller, step) values (-1, 0)');
      expect(performance.now() - startedAt).toBeLessThan(2_500);
    },
    scaledTimeoutMs(30_000),
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
    const startedAt = performance.now();
    let isHeld = true;
    const long = db.transaction(async (tx) => {
      await tx.run('insert into row (caller, step) values (0, 0)');
      await sleep(heldMs);
      isHeld = false;
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
    const told = await outcomes<unknown>([long, ...writes, ...transactions]);
    expect(told.filter((one) => one instanceof Error)).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(heldMs + 5_000);
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
    isOver = true;
    await Promise.all(all);
    expect(counts.writes).toBeGreaterThan(8);
    expect(counts.transactions).toBeGreaterThan(8);
  });
});
