import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ConnectionError,
  OutcomeUnknownError,
  QueryExecutionError,
  TransactionClosedError,
} from '../errors/index.ts';
import { failureOf, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';

let bench: TransactionBench;
beforeEach(() => {
  bench = new TransactionBench();
});
afterEach(() => {
  expect(bench.faults()).toEqual([]);
});

describe('COMMIT', () => {
  test('that fails is a rollback, with its error', async () => {
    const error = new QueryExecutionError('deferred constraint');
    bench.connection.failNext('commit', error);
    const hooked: unknown[] = [];
    const failed = bench.transaction(async (tx) => {
      tx.onCommit(() => hooked.push('commit'));
      tx.onRollback((reason) => hooked.push(reason));
      await tx.run('set a 1');
    });
    expect(await failureOf(failed)).toBe(error);
    expect(hooked).toEqual([error]);
    expect(bench.events.map(([name]) => name)).toEqual(['transaction:start', 'transaction:rollback']);
  });

  test('that fails on a connection in doubt discards it', async () => {
    const { connection } = bench;
    const release = connection.holdNext('commit', { failWith: new QueryExecutionError('disk full') });
    const failed = failureOf(bench.transaction((tx) => tx.run('set a 1')));
    await settled();
    connection.usable = false;
    release();
    expect(await failed).toMatchObject({ message: 'disk full' });
    expect(bench.source.discarded).toBe(1);
  });

  test('after the engine itself ended the transaction is not a success (C32)', async () => {
    const failed = bench.transaction(async (tx) => {
      await tx.run('explode now').catch(() => {});
    });
    expect(await failureOf(failed)).toBeInstanceOf(TransactionClosedError);
    expect(bench.committed).toEqual({});
  });

  test('with an unknown outcome runs no callbacks and discards the connection (B1)', async () => {
    const error = new OutcomeUnknownError('link lost');
    bench.connection.failNext('commit', error);
    const hooked: string[] = [];
    let handle: { state: string } | undefined;
    const failed = bench.transaction((tx) => {
      handle = tx;
      tx.onCommit(() => hooked.push('commit'));
      tx.onRollback(() => hooked.push('rollback'));
    });
    expect(await failureOf(failed)).toBe(error);
    await settled();
    expect(hooked).toEqual([]);
    expect(handle?.state).toBe('unknown');
    expect(bench.source.discarded).toBe(1);
    expect(bench.manager.stats()).toMatchObject({ started: 1, unknown: 1 });
    expect(bench.events.at(-1)).toMatchObject(['transaction:unknown', { error }]);
  });

  test('without an answer is given up as unknown after the time and the grace', async () => {
    const release = bench.connection.holdNext('commit');
    const failed = failureOf(bench.transaction(() => 1, { timeoutMs: 5_000 }));
    await bench.clock.advanceAsync(5_999);
    expect(bench.manager.stats().active).toBe(1);
    await bench.clock.advanceAsync(1);
    expect(await failed).toBeInstanceOf(OutcomeUnknownError);
    expect(bench.source.leased).toBe(1);
    release();
    await settled();
    expect(bench.source.discarded).toBe(1);
  });

  test('without an answer, where COMMIT is pipelined, keeps those behind it waiting alone', async () => {
    const { connection } = bench;
    connection.pipelinesCommit = true;
    const release = connection.holdNext('commit');
    const failed = failureOf(bench.transaction((tx) => tx.run('set a 1'), { timeoutMs: 5_000 }));
    await settled();
    expect(bench.source.leased).toBe(0);
    const next = bench.transaction((tx) => tx.run('set b 2'), { timeoutMs: 20_000 });
    await bench.clock.advanceAsync(6_000);
    expect(await failed).toBeInstanceOf(OutcomeUnknownError);
    release();
    await next;
    // The COMMIT came late, but succeeded: the connection is sound.
    expect(bench.source.discarded).toBe(0);
    expect(bench.log).toEqual(['begin', 'set a 1', 'commit', 'begin', 'set b 2', 'commit']);
    expect(bench.manager.stats()).toMatchObject({ unknown: 1, committed: 1, active: 0 });
  });

  test('sent at the last moment has the grace all the same', async () => {
    const work = Promise.withResolvers<void>();
    const release = bench.connection.holdNext('commit');
    const done = bench.transaction(() => work.promise, { timeoutMs: 5_000 });
    await bench.clock.advanceAsync(4_999);
    work.resolve();
    await bench.clock.advanceAsync(900);
    release();
    await done;
    expect(bench.manager.stats()).toMatchObject({ committed: 1, unknown: 0 });
  });

  test('without an answer is waited for as long as it takes where there is no time limit', async () => {
    bench = new TransactionBench({ limits: { idleInTransactionTimeoutMs: 10_000 } });
    const release = bench.connection.holdNext('commit');
    const done = bench.transaction(() => 1, { timeoutMs: 0 });
    await bench.clock.advanceAsync(1_000_000);
    release();
    expect(await done).toBe(1);
  });
});

describe('a lost connection', () => {
  test('ends the transaction as rolled back and discards the connection (C37)', async () => {
    const cause = new Error('worker died');
    const entered = Promise.withResolvers<void>();
    let signal: AbortSignal | undefined;
    const failed = failureOf(
      bench.transaction(async (tx) => {
        signal = tx.signal;
        await tx.run('set a 1');
        entered.resolve();
        await new Promise(() => {});
      }),
    );
    await entered.promise;
    bench.connection.lose(cause);
    const error: ConnectionError = await failed;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.cause).toBe(cause);
    expect(error.retryable).toBe(true);
    expect(signal?.aborted).toBe(true);
    expect(bench.source.discarded).toBe(1);
    expect(bench.log).not.toContain('rollback');
  });

  test('during a rollback still gives it back', async () => {
    bench.connection.holdNext('rollback');
    const { connection } = bench;
    const failed = failureOf(bench.transaction(() => Promise.reject(new Error('mine'))));
    await settled();
    connection.lose(new Error('worker died'));
    expect(await failed).toMatchObject({ message: 'mine' });
    expect(bench.source.discarded).toBe(1);
  });

  test('is reported only to the current transaction', async () => {
    for (let i = 0; i < 3; i++) await bench.transaction((tx) => tx.run('set a 1'));
    bench.connection.lose(new Error('idle death'));
    await settled();
    expect(bench.manager.stats()).toMatchObject({ committed: 3, rolledBack: 0 });
  });
});
