import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../async/index.ts';
import { TimeoutError, TransactionClosedError } from '../errors/index.ts';
import { failureOf, forever, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';
import { LimitWatch } from './limit-watch.ts';

let bench: TransactionBench;
beforeEach(() => {
  bench = new TransactionBench({ limits: { idleInTransactionTimeoutMs: 10_000, heldTooLongMs: 0 } });
});
afterEach(() => {
  expect(bench.faults()).toEqual([]);
  expect(bench.committed).toEqual({});
});

describe('the time limit of a transaction (C27, P4)', () => {
  test('rolls back and says so, though its function never ends', async () => {
    const failed = failureOf(bench.transaction(forever, { timeoutMs: 500, name: 'import' }));
    await bench.clock.advanceAsync(499);
    expect(bench.log).toEqual(['begin']);
    await bench.clock.advanceAsync(1);
    const error: TimeoutError = await failed;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ timeoutMs: 500, rollback: 'confirmed' });
    expect(error.message).toBe('Transaction #1 "import" did not end within 500 ms. It was rolled back.');
    expect(bench.log).toEqual(['begin', 'rollback']);
  });

  test('keeps the process alive where a caller waits for its end, and not for a handle', async () => {
    const failed = failureOf(bench.transaction(forever, { timeoutMs: 500 }));
    await settled();
    expect(bench.clock.keepingAlive).toBe(1);
    await bench.clock.advanceAsync(500);
    await failed;
    const handle = await bench.manager.begin({ timeoutMs: 500 });
    expect([bench.clock.pending, bench.clock.keepingAlive]).toEqual([1, 0]);
    await handle.rollback();
  });

  test('keeps nothing alive where all it will do is report', async () => {
    bench = new TransactionBench({ limits: { heldTooLongMs: 1_000 } });
    let end = (): void => {};
    const done = bench.transaction(() => new Promise<void>((resolve) => (end = resolve)), { timeoutMs: 0 });
    await settled();
    expect([bench.clock.pending, bench.clock.keepingAlive]).toEqual([1, 0]);
    end();
    await done;
  });

  test('is the default of the database where none is given, and none with 0', async () => {
    bench = new TransactionBench({ limits: { transactionTimeoutMs: 200 } });
    const failed = failureOf(bench.transaction(forever));
    await bench.clock.advanceAsync(200);
    expect(await failed).toMatchObject({ timeoutMs: 200 });
    let end = (): void => {};
    const endless = bench.transaction(() => new Promise<void>((resolve) => (end = resolve)), {
      timeoutMs: 0,
    });
    await bench.clock.advanceAsync(10_000_000);
    end();
    await endless;
  });

  test('counts from holding the connection, not from waiting for it', async () => {
    let end = (): void => {};
    const first = bench.transaction(() => new Promise<void>((resolve) => (end = resolve)), { timeoutMs: 0 });
    const second = failureOf(bench.transaction(forever, { timeoutMs: 100 }));
    await bench.clock.advanceAsync(5_000);
    end();
    await first;
    await bench.clock.advanceAsync(99);
    expect(bench.manager.stats().active).toBe(1);
    await bench.clock.advanceAsync(1);
    expect(await second).toBeInstanceOf(TimeoutError);
  });

  test('stops the statement that runs, and the ones behind it', async () => {
    bench.connection.holdNext('set a 1');
    const statements: Promise<unknown>[] = [];
    const failed = failureOf(
      bench.transaction(
        (tx) => {
          statements.push(tx.run('set a 1'), tx.run('set b 2'));
          return Promise.all(statements);
        },
        { timeoutMs: 500 },
      ),
    );
    await bench.clock.advanceAsync(500);
    expect(await failed).toMatchObject({ rollback: 'confirmed' });
    for (const statement of statements) expect(await failureOf(statement)).toBeInstanceOf(TimeoutError);
    expect(bench.connection.cancelled).toHaveLength(1);
  });

  test('refuses a function that swallows the error and goes on writing', async () => {
    bench.connection.holdNext('set a 1');
    let later: unknown;
    const failed = failureOf(
      bench.transaction(
        async (tx) => {
          await tx.run('set a 1').catch(() => {});
          later = await failureOf(tx.run('set b 2'));
          await bench.run('set c 3');
        },
        { timeoutMs: 500 },
      ),
    );
    await bench.clock.advanceAsync(500);
    expect(await failed).toBeInstanceOf(TimeoutError);
    await settled();
    expect(later).toBeInstanceOf(TransactionClosedError);
    expect((later as Error).message).toMatch(/was rolled back after its timeout of 500 ms 0 ms ago/);
    expect(bench.autocommitted).toEqual([]);
  });

  test('is kept within the grace without a confirmed rollback, and the connection is discarded', async () => {
    const release = bench.connection.holdNext('set a 1', { isStubborn: true });
    const failed = failureOf(bench.transaction((tx) => tx.run('set a 1'), { timeoutMs: 500 }));
    await bench.clock.advanceAsync(1_499);
    expect(bench.manager.stats().active).toBe(1);
    await bench.clock.advanceAsync(1);
    const error: TimeoutError = await failed;
    expect(error).toMatchObject({ rollback: 'pending', timeoutMs: 500 });
    expect(error.message).toMatch(/It will be rolled back; that was not confirmed yet\.$/);
    expect(bench.source.leased).toBe(1);
    expect(bench.manager.stats().active).toBe(1);
    release();
    await settled();
    expect(bench.source).toMatchObject({ leased: 0, discarded: 1 });
    expect(bench.manager.stats()).toMatchObject({ rolledBack: 1, active: 0 });
  });

  test('does not trust a connection whose rollback fails', async () => {
    bench.connection.failNext('rollback', new Error('broken'));
    const failed = failureOf(bench.transaction(forever, { timeoutMs: 500 }));
    await bench.clock.advanceAsync(500);
    expect(await failed).toMatchObject({ rollback: 'pending' });
    expect(bench.source.discarded).toBe(1);
  });

  test('covers a BEGIN that has no answer', async () => {
    bench.connection.holdNext('begin');
    const failed = failureOf(bench.transaction((tx) => tx.run('set a 1'), { timeoutMs: 500 }));
    await bench.clock.advanceAsync(500);
    expect(await failed).toMatchObject({ rollback: 'confirmed', timeoutMs: 500 });
  });

  test('lets callbacks run before it rejects, but does not wait for them beyond the grace', async () => {
    const hooked: unknown[] = [];
    const failed = failureOf(
      bench.transaction(
        (tx) => {
          tx.onRollback((error) => hooked.push(error));
          tx.onRollback(forever);
          return forever();
        },
        { timeoutMs: 500 },
      ),
    );
    await bench.clock.advanceAsync(1_500);
    const error = await failed;
    expect(hooked).toEqual([error]);
    expect(error).toMatchObject({ rollback: 'confirmed' });
  });

  test('does not make an unhandled rejection of what its function does later', async () => {
    const late = Promise.withResolvers<void>();
    const failed = failureOf(bench.transaction(() => late.promise, { timeoutMs: 500 }));
    await bench.clock.advanceAsync(500);
    await failed;
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    late.reject(new Error('too late to matter'));
    await settled();
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });

  test('is looked at again after the process stood still (C25)', async () => {
    const failed = failureOf(bench.transaction(forever, { timeoutMs: 500 }));
    await settled();
    bench.clock.advance(60_000);
    expect(await failed).toBeInstanceOf(TimeoutError);
  });
});

describe('the idle limit of a transaction', () => {
  test('ends one that does nothing on its connection', async () => {
    const failed = failureOf(
      bench.transaction(async (tx) => {
        await tx.value('get a');
        await forever();
      }),
    );
    await bench.clock.advanceAsync(10_000);
    const error: TimeoutError = await failed;
    expect(error).toMatchObject({ timeoutMs: 10_000, rollback: 'confirmed' });
    expect(error.message).toMatch(/was idle: no statement was under way for 10000 ms/);
  });

  test('counts from the last answer', async () => {
    const next = Promise.withResolvers<void>();
    const failed = failureOf(
      bench.transaction(async (tx) => {
        await next.promise;
        await tx.value('get a');
        await forever();
      }),
    );
    await bench.clock.advanceAsync(6_000);
    next.resolve();
    await bench.clock.advanceAsync(9_999);
    expect(bench.manager.stats().active).toBe(1);
    await bench.clock.advanceAsync(1);
    expect(await failed).toMatchObject({ timeoutMs: 10_000 });
  });

  test('does not count while a statement runs', async () => {
    const release = bench.connection.holdNext('get a');
    const failed = failureOf(
      bench.transaction(async (tx) => {
        await tx.value('get a');
        await forever();
      }),
    );
    await bench.clock.advanceAsync(15_000);
    release();
    await bench.clock.advanceAsync(9_999);
    expect(bench.manager.stats().active).toBe(1);
    await bench.clock.advanceAsync(1);
    expect(await failed).toMatchObject({ timeoutMs: 10_000 });
  });

  test('does not count while BEGIN waits for a lock', async () => {
    const release = bench.connection.holdNext('begin');
    const begun = bench.manager.begin();
    await bench.clock.advanceAsync(15_000);
    release();
    const tx = await begun;
    await bench.clock.advanceAsync(10_000);
    expect(tx.state).toBe('rolled-back');
  });

  test('costs one timer for any number of statements', async () => {
    await bench.transaction(async (tx) => {
      for (let i = 0; i < 10; i++) await tx.value('get a');
      expect(bench.clock.pending).toBe(1);
    });
  });
});

test('a transaction held too long is announced once, with the place where it was begun', async () => {
  bench = new TransactionBench({ limits: { heldTooLongMs: 2_000 } });
  const failed = failureOf(bench.transaction(forever, { name: 'slow', timeoutMs: 10_000 }));
  await bench.clock.advanceAsync(1_999);
  const held = (): unknown[] => bench.events.filter(([name]) => name === 'transaction:held-too-long');
  expect(held()).toEqual([]);
  await bench.clock.advanceAsync(8_001);
  await failed;
  expect(held()).toMatchObject([[expect.anything(), { transactionId: 1, name: 'slow', heldMs: 2_000 }]]);
  expect(held()).toMatchObject([[expect.anything(), { takenAt: expect.any(String) as string }]]);
});

test('a report that leads to the end of the transaction leaves no timer', () => {
  const clock = new ManualClock();
  const limits = {
    transactionTimeoutMs: 30_000,
    idleInTransactionTimeoutMs: 0,
    cancelGraceMs: 1_000,
    heldTooLongMs: 500,
  };
  const nothing = (): void => undefined;
  const actions = { timedOut: nothing, idleTooLong: nothing, commitUnanswered: nothing };
  const watch: LimitWatch = new LimitWatch(
    { clock, limits, keepAlive: true },
    { ...actions, heldTooLong: () => watch.stop() },
  );
  watch.begin();
  clock.advance(500);
  expect(clock.pending).toBe(0);
});
