import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { resultOf } from '../../fixtures/run-script.ts';
import { seed } from '../../fixtures/scale.ts';
import { expectAtRest, openScratch, outcomes } from '../../fixtures/scratch-database.ts';
import type { Database } from '../../../src/index.ts';

interface Result {
  readonly seed: number;
  readonly stalls: number;
  readonly counts: Record<string, number>;
  readonly wrong: string[];
}

async function stoppedNowAndThen(): Promise<Result> {
  let stopping: Promise<void> | undefined;
  const onStart = (pid: number): void => void (stopping = stopNowAndThen(pid));
  const script = new URL('scripts/stalls.ts', import.meta.url);
  const result = await resultOf<Result>(script, { args: ['--seed', String(seed)], onStart });
  await stopping;
  expect(result.wrong, `seed ${result.seed}`).toEqual([]);
  expect(result.stalls).toBeGreaterThan(3);
  expect(result.counts['committed']).toBeGreaterThan(10);
  return result;
}

async function stopNowAndThen(pid: number): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await sleep(900);
    process.kill(pid, 'SIGSTOP');
    await sleep(500);
    process.kill(pid, 'SIGCONT');
  }
}

describe('a process that stands still for longer than its limits', () => {
  test('reports no timeout for what was committed, and knows every outcome (C25)', async () => {
    // An outcome is unknown only where the disk or the writer failed, and here nothing does, unless it is slow.
    let others: string[] = [];
    for (let tries = 0; tries < 3; tries += 1) {
      const { counts } = await stoppedNowAndThen();
      others = Object.keys(counts).filter((outcome) => !KNOWN.includes(outcome));
      if (others.length === 0) break;
    }
    expect(others).toEqual([]);
  });

  test.each<[string, (db: Database, stall: () => void) => Promise<unknown>]>([
    ['a write', (db, stall) => (stall(), db.run(INSERT, [], { timeoutMs: LIMIT_MS }))],
    ['a batch', (db, stall) => (stall(), db.batch([INSERT], { timeoutMs: LIMIT_MS }))],
    ['a read', (db, stall) => (stall(), db.all('select * from row', [], { timeoutMs: LIMIT_MS }))],
    [
      'a COMMIT',
      (db, stall) =>
        db.transaction(
          async (tx) => {
            await tx.run(INSERT);
            // COMMIT is sent before this turn is over.
            stall();
          },
          { timeoutMs: LIMIT_MS },
        ),
    ],
  ])('takes the answer that came meanwhile for what it is: %s (C25)', async (_name, send) => {
    const { db } = await openScratch(SCHEMA, { inlineReads: false, cancelGraceMs: GRACE_MS });
    await db.all('select * from row');
    const told = async (stallMs: number): Promise<unknown> => {
      const stall = (): void => void setImmediate(() => standStill(stallMs));
      return (await outcomes([send(db, stall)]))[0];
    };
    for (let round = 0; round < 3; round += 1) {
      let answer = await told(LIMIT_MS + GRACE_MS + 100);
      // On a slow machine no answer had come: then it was a timeout.
      for (const stallMs of [1_000, 5_000]) if (answer instanceof Error) answer = await told(stallMs);
      expect(answer).not.toBeInstanceOf(Error);
    }
    await expectAtRest(db);
  });
});

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const SCHEMA = 'create table row (id integer primary key)';
const INSERT = 'insert into row values (null)';
const LIMIT_MS = 100;
const GRACE_MS = 100;
const KNOWN = ['committed', 'TimeoutError', 'TransactionClosedError'];
