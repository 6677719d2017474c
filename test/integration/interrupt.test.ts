import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DatabaseSync } from '../../src/sqlite/binding.ts';
import {
  findInterruptLibrary,
  interruptUnavailableReason,
  loadInterrupter,
  registerForInterrupt,
  type Interrupter,
} from '../../src/sqlite/interrupt.ts';

/** Counts for minutes if nobody stops it, and returns no row before its end. */
const RUNAWAY = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 1e10)
  select count(*) as n from n`;
const SQLITE_INTERRUPT = 9;

let interrupter: Interrupter;

beforeEach(() => {
  const loaded = loadInterrupter();
  expect(loaded, interruptUnavailableReason()).toBeDefined();
  interrupter = loaded!;
});
afterEach(() => interrupter.close());

describe('a statement in another thread', () => {
  let worker: Worker;
  let key: number;

  beforeEach(async () => {
    const fixture = new URL('../fixtures/interruptible-worker.ts', import.meta.url);
    worker = new Worker(fixture, { workerData: interrupter.libraryPath });
    ({ key } = await nextMessage<{ key: number }>());
  });
  afterEach(() => worker.terminate());

  test('is stopped at its deadline, however long it would run (X3)', async () => {
    const { stoppedAfterMs, answer } = await runWithDeadline(RUNAWAY, 200);
    expect(answer).toMatchObject({ message: 'interrupted', errcode: SQLITE_INTERRUPT });
    expect(stoppedAfterMs).toBeLessThan(5_000);
  });

  test('leaves a connection that answers the next one', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { answer } = await runWithDeadline(RUNAWAY, 5);
      expect(answer).toMatchObject({ errcode: SQLITE_INTERRUPT });
      expect(await run('select 42 as answer')).toEqual({ rows: [{ answer: 42 }] });
    }
  });

  test('takes its transaction with it when it writes', async () => {
    await run('create table numbers (i)');
    await run('begin');
    await run('insert into numbers values (1)');
    const { answer } = await runWithDeadline(`insert into numbers ${RUNAWAY}`, 50);
    expect(answer).toMatchObject({ errcode: SQLITE_INTERRUPT, inTransaction: false });
    expect(await run('select count(*) as n from numbers')).toEqual({ rows: [{ n: 0 }] });
  });

  test('is not harmed by interrupts that came while the connection was idle', async () => {
    for (let count = 0; count < 200; count += 1) expect(interrupter.interrupt(key)).toBe(true);
    expect(await run('select 42 as answer')).toEqual({ rows: [{ answer: 42 }] });
  });

  test('cannot be reached once its connection is closed', async () => {
    worker.postMessage(undefined);
    await nextMessage();
    expect(interrupter.interrupt(key)).toBe(false);
  });

  test('cannot be reached once its thread was terminated', async () => {
    await worker.terminate();
    expect(interrupter.interrupt(key)).toBe(false);
  });

  async function runWithDeadline(sql: string, deadlineMs: number) {
    worker.postMessage(sql);
    await nextMessage();
    const answered = nextMessage();
    const startedAt = performance.now();
    await sleep(deadlineMs);
    expect(interrupter.interrupt(key)).toBe(true);
    const answer = await answered;
    return { answer, stoppedAfterMs: performance.now() - startedAt };
  }

  async function run(sql: string): Promise<unknown> {
    worker.postMessage(sql);
    await nextMessage();
    return nextMessage();
  }

  async function nextMessage<Message>(): Promise<Message> {
    const [message] = await once(worker, 'message');
    return message as Message;
  }
});

describe('the table of connections', () => {
  test('gives each connection a key of its own and forgets it when it closes', () => {
    const seen = new Set<number>();
    for (let round = 0; round < 200; round += 1) {
      const { database, key } = openInterruptible();
      expect(seen.has(key), 'a key was given twice').toBe(false);
      seen.add(key);
      expect(interrupter.interrupt(key)).toBe(true);
      database.close();
      expect(interrupter.interrupt(key)).toBe(false);
    }
  });

  test('finds every one of 200 open connections, whatever order they close in', () => {
    const open = Array.from({ length: 200 }, openInterruptible);
    expect(open.every(({ key }) => interrupter.interrupt(key))).toBe(true);
    const [even, odd] = [open.filter((_, i) => i % 2 === 0), open.filter((_, i) => i % 2 === 1).reverse()];
    for (const { database } of even) database.close();
    expect(odd.every(({ key }) => interrupter.interrupt(key))).toBe(true);
    for (const { database } of odd) database.close();
    expect(open.some(({ key }) => interrupter.interrupt(key))).toBe(false);
  });

  test('does not know keys that were never given', () => {
    for (const key of [0, -1, Number.MAX_SAFE_INTEGER]) expect(interrupter.interrupt(key)).toBe(false);
  });
});

describe('ordinary SQL', () => {
  test.each(['millpond_interrupt(1)', 'millpond_interrupt_register()'])(
    'cannot reach %s through a view or a trigger',
    (call) => {
      const { database } = openInterruptible();
      database.exec(`create table t (x); create view v as select ${call} as x;
        create trigger r after insert on t begin select ${call}; end`);
      expect(() => database.prepare('select * from v').all()).toThrow('unsafe use of millpond_interrupt');
      expect(() => database.exec('insert into t values (1)')).toThrow('unsafe use of millpond_interrupt');
      database.close();
    },
  );

  test('cannot interrupt others from a connection that is itself interruptible', () => {
    const [caller, victim] = [openInterruptible(), openInterruptible()];
    const attack = caller.database.prepare('select millpond_interrupt(?)');
    expect(() => attack.get(victim.key)).toThrow(
      'a connection that can be interrupted may not interrupt others',
    );
    caller.database.close();
    victim.database.close();
  });

  test('cannot load other extensions afterwards', () => {
    const { database } = openInterruptible();
    expect(() => database.exec("select load_extension('anything')")).toThrow('not authorized');
    expect(() => database.loadExtension(interrupter.libraryPath)).toThrow('extension loading is not allowed');
    database.close();
  });
});

describe('an interrupter', () => {
  test('shares one control connection until its last user closes', () => {
    const { database, key } = openInterruptible();
    const second = loadInterrupter()!;
    second.close();
    second.close();
    expect(second.interrupt(key)).toBe(false);
    expect(interrupter.interrupt(key)).toBe(true);
    interrupter.close();
    const third = loadInterrupter()!;
    expect(third.interrupt(key)).toBe(true);
    third.close();
    database.close();
  });

  test('is undefined, with the reason, where its library is missing or cannot be loaded', () => {
    interrupter.close();
    const folder = mkdtempSync(join(tmpdir(), 'millpond-'));
    try {
      const library = join(folder, 'interrupt.so');
      expect(loadInterrupter(library)).toBeUndefined();
      expect(interruptUnavailableReason()).toContain('is not built');
      writeFileSync(library, 'built for a machine that never was');
      expect(loadInterrupter(library)).toBeUndefined();
      expect(interruptUnavailableReason()).toContain('cannot be loaded');
      interrupter = loadInterrupter()!;
      expect(interruptUnavailableReason()).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function openInterruptible(): { database: DatabaseSync; key: number } {
  const database = new DatabaseSync(':memory:', { allowExtension: true });
  return { database, key: registerForInterrupt(database, findInterruptLibrary()!) };
}
