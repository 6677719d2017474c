import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../async/index.ts';
import {
  ConnectionError,
  ConnectionPoolExhaustedError,
  OutcomeUnknownError,
  QueryExecutionError,
} from '../errors/index.ts';
import { failureOf, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';
import { isRetryable, pause, resolveRetry, retryDelayMs } from './retry.ts';

describe('the delay before another attempt', () => {
  const policy = resolveRetry(5)!;

  test('lies between 10 ms and twice as much for each attempt, 500 ms at most', () => {
    expect([0, 1, 2, 3, 10].map((attempt) => retryDelayMs(policy, attempt, () => 0))).toEqual([
      10, 10, 10, 10, 10,
    ]);
    expect([0, 1, 2, 3, 10].map((attempt) => retryDelayMs(policy, attempt, () => 1))).toEqual([
      10, 20, 40, 80, 500,
    ]);
  });

  test('follows the limits given', () => {
    const given = resolveRetry({ attempts: 1, minDelayMs: 1_000 })!;
    expect(retryDelayMs(given, 3, () => 1)).toBe(1_000);
    const wide = resolveRetry({ attempts: 1, minDelayMs: 100, maxDelayMs: 300 })!;
    expect(retryDelayMs(wide, 5, () => 0.5)).toBe(200);
  });

  test('is absent where no attempt is wanted', () => {
    expect(resolveRetry(0)).toBeUndefined();
  });
});

describe('an error allows another attempt', () => {
  const retryable = new QueryExecutionError('serialization', { retryable: true });

  test('when it, or what it was caused by, is retryable', () => {
    expect(isRetryable(retryable)).toBe(true);
    expect(isRetryable(new Error('wrapped', { cause: retryable }))).toBe(true);
    expect(isRetryable(new Error('other'))).toBe(false);
    expect(isRetryable('text')).toBe(false);
    expect(isRetryable(undefined)).toBe(false);
  });

  test('never when the outcome is unknown, however it is wrapped', () => {
    const unknown = new OutcomeUnknownError('lost', { cause: retryable });
    expect(isRetryable(unknown)).toBe(false);
    expect(isRetryable(Object.assign(new Error('wrapped', { cause: unknown }), { retryable: true }))).toBe(
      false,
    );
  });

  test('even where the causes go round in a circle', () => {
    const circular = new Error('a');
    circular.cause = circular;
    expect(isRetryable(circular)).toBe(false);
  });
});

describe('the pause', () => {
  test('ends with its time and leaves nothing behind', async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    const done = pause(20, clock, signal);
    clock.advance(20);
    await done;
    expect(clock.pending).toBe(0);
  });

  test('ends at once with the reason of an abort', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const failed = failureOf(pause(20, clock, controller.signal));
    controller.abort(new Error('gone'));
    expect(await failed).toMatchObject({ message: 'gone' });
    expect(clock.pending).toBe(0);
    expect(await failureOf(pause(20, clock, controller.signal))).toMatchObject({ message: 'gone' });
  });
});

describe('trying again', () => {
  let bench: TransactionBench;
  beforeEach(() => {
    bench = new TransactionBench();
  });
  afterEach(() => {
    expect(bench.faults()).toEqual([]);
  });

  const retryable = (): QueryExecutionError => new QueryExecutionError('serialization', { retryable: true });

  test('happens from BEGIN and only when asked for', async () => {
    let calls = 0;
    const work = async (): Promise<string> => {
      calls++;
      await bench.run(`set a ${calls}`);
      if (calls < 3) throw retryable();
      return 'done';
    };
    expect(await failureOf(bench.transaction(work))).toBeInstanceOf(QueryExecutionError);
    calls = 0;
    const done = bench.transaction(work, { retry: 2 });
    await bench.clock.advanceAsync(1_000);
    expect(await done).toBe('done');
    expect(bench.committed).toEqual({ a: '3' });
    expect(bench.manager.stats()).toMatchObject({ started: 4, committed: 1, rolledBack: 3 });
  });

  test('starts each time without callbacks', async () => {
    const seen: string[] = [];
    let calls = 0;
    const done = bench.transaction(
      (tx) => {
        const number = ++calls;
        tx.onCommit(() => seen.push(`commit ${number}`));
        tx.onRollback(() => seen.push(`rollback ${number}`));
        if (number === 1) throw retryable();
      },
      { retry: 1 },
    );
    await bench.clock.advanceAsync(1_000);
    await done;
    expect(seen).toEqual(['rollback 1', 'commit 2']);
  });

  test('ends with the last error when the attempts are used up', async () => {
    const errors = [retryable(), retryable(), retryable()];
    const failed = failureOf(bench.transaction(() => Promise.reject(errors.shift()!), { retry: 1 }));
    const last = errors[1];
    await bench.clock.advanceAsync(1_000);
    expect(await failed).toBe(last);
    expect(errors).toHaveLength(1);
  });

  test('includes waiting for a connection', async () => {
    let calls = 0;
    const acquire = bench.source.acquire.bind(bench.source);
    bench.source.acquire = (request) => {
      calls++;
      return calls === 1 ? Promise.reject(new ConnectionPoolExhaustedError('full')) : acquire(request);
    };
    const done = bench.transaction(() => 7, { retry: 1 });
    await bench.clock.advanceAsync(1_000);
    expect(await done).toBe(7);
  });

  test('is not for other errors, nor where `when` says no', async () => {
    let calls = 0;
    const fail = (error: Error) => () => {
      calls++;
      throw error;
    };
    await failureOf(bench.transaction(fail(new Error('a bug')), { retry: 5 }));
    await failureOf(bench.transaction(fail(retryable()), { retry: { attempts: 5, when: () => false } }));
    expect(calls).toBe(2);
  });

  test('is never for an unknown outcome (B1)', async () => {
    bench.connection.failNext('commit', new OutcomeUnknownError('link lost', { cause: retryable() }));
    let calls = 0;
    const failed = bench.transaction(() => void calls++, { retry: 5 });
    expect(await failureOf(failed)).toBeInstanceOf(OutcomeUnknownError);
    await settled();
    expect(calls).toBe(1);
  });

  test('is never for what has been committed, whole or in part', async () => {
    let calls = 0;
    const hooked = bench.transaction(
      (tx) => {
        calls++;
        tx.onCommit(() => Promise.reject(retryable()));
      },
      { retry: 5 },
    );
    expect(await failureOf(hooked)).toMatchObject({ code: 'ERR_MILLPOND_HOOK' });
    const continued = bench.transaction(
      async (tx) => {
        calls++;
        await tx.commitAndContinue();
        throw retryable();
      },
      { retry: 5 },
    );
    expect(await failureOf(continued)).toBeInstanceOf(QueryExecutionError);
    expect(calls).toBe(2);
  });

  test('is not started while the failed attempt is still running', async () => {
    let calls = 0;
    const failed = failureOf(
      bench.transaction(
        async () => {
          calls++;
          await new Promise(() => {});
        },
        { retry: 5 },
      ),
    );
    await settled();
    bench.connection.lose(new Error('worker died'));
    await bench.clock.advanceAsync(1_000);
    expect(await failed).toBeInstanceOf(ConnectionError);
    expect(calls).toBe(1);
  });

  test('stops waiting when the signal is aborted', async () => {
    const controller = new AbortController();
    const failed = failureOf(
      bench.transaction(() => Promise.reject(retryable()), { retry: 5, signal: controller.signal }),
    );
    await settled();
    // The pause is all that keeps a process from ending meanwhile.
    expect([bench.clock.pending, bench.clock.keepingAlive]).toEqual([1, 1]);
    controller.abort(new Error('gone'));
    expect(await failed).toMatchObject({ message: 'gone' });
  });
});
