import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { kill, liveWorkers, type Death } from '../fixtures/live-workers.ts';
import {
  onCommit,
  onRollback,
  withoutTransaction,
  type Database,
  type Transaction,
} from '../../src/index.ts';
import { expectAtRest, openScratch } from '../fixtures/scratch-database.ts';
import { scaled, scaledTimeoutMs } from '../fixtures/scale.ts';
import { fc } from '../fixtures/property.ts';

/*
 * Whatever is done, and whatever goes wrong in it, every lease comes back, every transaction ends, and no thread is
 * left over. More: TEST_SCALE=1000 vitest run test/property/leak-hunt
 */

const SCHEMA = `create table row (id integer primary key, n int check (n < 10));
  insert into row with recursive n (i) as (select 1 union all select i + 1 from n where i < 700) select i, i % 10 from n`;
const ENDLESS =
  'with recursive n (i) as (select 1 union all select i + 1 from n where i < 1e9) select count(*) from n';
const READERS = 2;

type Fault = 'none' | 'abort before' | 'abort soon' | 'timeout' | 'throw' | 'break a constraint' | Death;

interface Operation {
  readonly kind: keyof typeof KINDS;
  readonly fault: Fault;
  readonly delayMs: number;
}

interface Circumstances {
  readonly db: Database;
  readonly options: { readonly signal: AbortSignal; readonly timeoutMs?: number };
  /** Called where the operation is in the middle of what it does: here its fault happens. */
  readonly middle: () => Promise<void>;
  readonly value: number;
}

const KINDS = {
  write: async ({ db, options, value, middle }) => {
    const written = db.run('insert into row (n) values (?)', [value], options);
    await Promise.all([written, middle()]);
  },
  batch: ({ db, options, value }) =>
    db.batch(['delete from row where id > 5000', ['insert into row (n) values (?)', [value]]], options),
  script: ({ db, options }) =>
    db.script('delete from row where id > 5000; delete from row where id > 6000', options),
  read: async ({ db, options, middle }) => {
    await Promise.all([db.all('select * from row where id < 50', [], options), middle()]);
  },
  'endless read': ({ db, options }) => db.value(ENDLESS, [], { timeoutMs: 15, ...options }),
  json: ({ db, options }) => db.json('select * from row', [], options),
  'whole stream': async ({ db, options, middle }) => {
    let rows = 0;
    for await (const row of db.stream('select * from row', [], options))
      if (++rows === 300 && row !== undefined) await middle();
  },
  'half a stream': async ({ db, options, middle }) => {
    for await (const row of db.stream('select * from row', [], options)) {
      await middle();
      if (row['id'] === 1) break;
    }
  },
  'forgotten stream': async ({ db, options }) => {
    await db.stream('select * from row', [], options).next();
  },
  lease: async ({ db, options, middle }) => {
    await using lease = await db.acquire({ signal: options.signal });
    await lease.connection.all('select * from row limit 10', [], options);
    await middle();
  },
  'lease with a stream': async ({ db, options, middle }) => {
    await using lease = await db.acquire({ signal: options.signal });
    await lease.connection.stream('select * from row', [], options).next();
    await middle();
  },
  transaction: ({ db, options, value, middle }) =>
    db.transaction(async (tx) => {
      await tx.run('insert into row (n) values (?)', [value]);
      await middle();
    }, options),
  'transaction with hooks': ({ db, options, value, middle }) =>
    db.transaction(async (tx) => {
      onCommit(() => withoutTransaction(() => db.value('select count(*) from row')));
      onCommit(middle);
      onRollback(middle);
      await tx.run('insert into row (n) values (?)', [value]);
    }, options),
  'transaction with savepoints': ({ db, options, value, middle }) =>
    db.transaction(async (tx) => {
      await tx
        .transaction((inner) => inner.run('insert into row (n) values (?)', [value]))
        .catch(() => undefined);
      await tx.transaction(async (inner) => {
        await inner.run('delete from row where id > 5000');
        await middle();
      });
    }, options),
  'read transaction': ({ db, options, middle }) =>
    db.transaction(
      async (tx) => {
        await tx.value('select count(*) from row');
        await middle();
        await tx.stream('select * from row').next();
      },
      { ...options, readOnly: true },
    ),
  'transaction by hand': async ({ db, options, value, middle }) => {
    await using tx = await db.begin(options);
    await tx.run('insert into row (n) values (?)', [value]);
    await middle();
    await tx.commitAndContinue();
    await middle();
    await tx.commit();
  },
  // Ended by the idle limit.
  'forgotten transaction': async ({ db, options }) => {
    const tx = await db.begin(options);
    await tx.run('delete from row where id > 5000');
  },
  'two at once': ({ db, options, value, middle }) =>
    db.transaction(async (tx: Transaction) => {
      await Promise.all([tx.run('insert into row (n) values (?)', [value]), tx.value('select 1'), middle()]);
    }, options),
} satisfies Record<string, (circumstances: Circumstances) => Promise<unknown>>;

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[])),
  fault: fc.oneof(
    { weight: 5, arbitrary: fc.constant<Fault>('none') },
    {
      weight: 6,
      arbitrary: fc.constantFrom<Fault>(
        'abort before',
        'abort soon',
        'timeout',
        'throw',
        'break a constraint',
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom<Fault>('terminate', 'uncaught throw') },
  ),
  delayMs: fc.nat(6),
});

async function perform(db: Database, { kind, fault, delayMs }: Operation): Promise<void> {
  const controller = new AbortController();
  const middle = async (): Promise<void> => {
    if (fault === 'throw') throw new Error('expected');
    if (fault === 'terminate' || fault === 'uncaught throw') killOne(fault, delayMs);
    await sleep(delayMs);
  };
  if (fault === 'abort before') controller.abort();
  if (fault === 'abort soon') setTimeout(() => controller.abort(), delayMs);
  const options = { signal: controller.signal, ...(fault === 'timeout' ? { timeoutMs: 1 + delayMs } : {}) };
  const value = fault === 'break a constraint' ? 99 : 1;
  await KINDS[kind]({ db, options, middle, value }).catch(() => undefined);
}

const killed = new Set<Worker>();

function killOne(how: Death, choice: number): void {
  const workers = [...liveWorkers('writer'), ...liveWorkers('reader')];
  const victim = workers[choice % workers.length];
  if (victim === undefined) return;
  kill(victim, how);
  killed.add(victim);
}

/** A thread dies when its turn comes; it must not be in the middle of the next round. */
async function theDeadAreGone(): Promise<void> {
  while (liveWorkers().some((worker) => killed.has(worker))) await sleep(1);
}

describe('after any operations with any faults', () => {
  test(
    'nothing is leased, nothing is open, and no thread is left over (C46, B11)',
    async () => {
      const unhandled: unknown[] = [];
      const note = (reason: unknown): void => void unhandled.push(reason);
      process.on('unhandledRejection', note);
      onTestFinished(() => void process.off('unhandledRejection', note));
      const { db } = await openScratch(SCHEMA, {
        pool: { max: READERS, acquireTimeoutMs: 2_000 },
        idleInTransactionTimeoutMs: 60,
        transactionTimeoutMs: 500,
        queryTimeoutMs: 1_000,
      });
      const operations = fc.array(operation, { minLength: 1, maxLength: 40, size: 'max' });
      const leavesNothing = fc.asyncProperty(operations, async (given) => {
        await Promise.all(given.map((one) => perform(db, one)));
        await theDeadAreGone();
        await expectAtRest(db);
        // One writer, the readers of leases, two that light statements share.
        expect(db.stats().pool.size).toBeLessThanOrEqual(1 + READERS + 2);
      });
      await fc.assert(leavesNothing, { numRuns: scaled(25), endOnFailure: true });
      expect(unhandled).toEqual([]);
      // One that died while it was idle is noticed when it is next taken.
      const threads = (): number => liveWorkers('writer').length + liveWorkers('reader').length;
      await expect.poll(() => threads() <= db.stats().pool.size).toBe(true);
      // Not less: a thread that is just being started on a busy machine may outlast a short limit.
      await db.close({ timeoutMs: 10_000 });
      expect(liveWorkers()).toHaveLength(0);
    },
    scaledTimeoutMs(),
  );
});
