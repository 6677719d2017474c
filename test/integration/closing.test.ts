import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Database } from '../../src/index.ts';
import { liveWorkers } from '../fixtures/live-workers.ts';
import { runProgram } from '../fixtures/run-program.ts';
import { openScratch, outcomes, type ScratchOptions } from '../fixtures/scratch-database.ts';

const GENERATED = 'with recursive n (i) as (select 1 union all select i + 1 from n where i < LIMIT)';
const ENDLESS = `${GENERATED.replace('LIMIT', '1e10')} select count(*) from n`;
const LIMIT_MS = 100;
/** Promised by `Database.close`. */
const END_MS = 2_500;
/** A busy machine. */
const SLACK_MS = 7_500;

test('a process does not end before its database has closed, though a lease is never given back (B14)', async () => {
  const output = await runProgram(`
    const db = await openDatabase({ url: 'sqlite:' + path(), log: 'silent' });
    const lease = await db.acquire();
    await db.close({ timeoutMs: 200 });
    console.log('closed', db.stats().pool.size);`);
  expect(output).toBe('closed 0');
});

interface Obstacle {
  readonly options: ScratchOptions;
  /** Resolves when it stands in the way; with the calls that will not be answered before. */
  readonly set: (db: Database) => Promise<Promise<unknown>[]>;
}

const obstacles: Record<string, Obstacle> = {
  'a log that the writer is to move after a write without end': {
    options: { sqlite: { walCheckpointBytes: 65_536 }, queryTimeoutMs: 0 },
    set: async (db) => {
      const insert = `insert into t ${GENERATED.replace('LIMIT', '100')} select zeroblob(1000) from n`;
      while (liveWorkers('checkpointer').length === 0) await db.run(insert);
      // Sent while the checkpointer starts; what that asks of the writer comes behind it.
      const write = db.run(`insert into t ${ENDLESS}`);
      await sleep(500);
      return [write];
    },
  },
  'a callback that never ends, with a grace that nearly does not either': {
    options: { cancelGraceMs: 20_000 },
    set: async (db) => {
      const entered = Promise.withResolvers<void>();
      const transaction = db.transaction(async (tx) => {
        tx.onRollback(() => new Promise(() => undefined));
        await tx.value('select 1');
        entered.resolve();
        await new Promise(() => undefined);
      });
      await entered.promise;
      // It will be told after its grace, long after this test.
      transaction.catch(() => undefined);
      return [];
    },
  },
};

describe('close() settles in the time that it promises (B14)', () => {
  test.each(Object.entries(obstacles))('with %s', async (_, { options, set }) => {
    const { db } = await openScratch('create table t (x)', options);
    const calls = outcomes(await set(db));
    const startedAt = performance.now();
    await db.close({ timeoutMs: LIMIT_MS });
    expect(performance.now() - startedAt).toBeLessThan(LIMIT_MS + END_MS + SLACK_MS);
    for (const outcome of await calls) expect(outcome).toBeInstanceOf(Error);
  });
});
