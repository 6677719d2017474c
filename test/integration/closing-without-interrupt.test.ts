import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type * as Interrupt from '../../src/sqlite/interrupt.ts';
import { liveWorkers } from '../fixtures/live-workers.ts';
import { runningTime } from '../fixtures/running-time.ts';
import { openScratch, outcomes } from '../fixtures/scratch-database.ts';

// As on a machine where the interrupt extension was not built: nothing stops a statement that gives no row.
vi.mock('../../src/sqlite/interrupt.ts', async (importOriginal) => ({
  ...(await importOriginal<typeof Interrupt>()),
  loadInterrupter: () => undefined,
}));

/** Several seconds. */
const LONG =
  'with recursive n (i) as (select 1 union all select i + 1 from n where i < 3e7) select count(*) from n';
const LIMIT_MS = 100;
/** Promised by `Database.close`. */
const END_MS = 2_500;
/** A busy machine. */
const SLACK_MS = 1_500;

test.each([true, false])(
  'with pooled: %s, close() does not wait for what nothing can stop (B14)',
  async (pooled) => {
    const { db } = await openScratch('create table t (x)', { pooled, queryTimeoutMs: 0 });
    // A thread that still runs would write into a folder that is gone.
    onTestFinished(async () => {
      while (liveWorkers().length > 0) await sleep(20);
    });
    const calls = outcomes([
      db.value(LONG),
      db.run(`insert into t ${LONG}`),
      db.transaction((tx) => tx.value(LONG)),
    ]);
    await sleep(50);
    using running = runningTime();
    await db.close({ timeoutMs: LIMIT_MS });
    expect(running.ms).toBeLessThan(LIMIT_MS + END_MS + SLACK_MS);
    for (const outcome of await calls) expect(outcome).toBeInstanceOf(Error);
  },
);
