import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TransactionClosedError, TransactionError } from '../errors/index.ts';
import { failureOf, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';

let bench: TransactionBench;
beforeEach(() => {
  bench = new TransactionBench();
});
afterEach(() => {
  expect(bench.faults()).toEqual([]);
});

describe('calls nobody awaited', () => {
  test('make the transaction roll back, and are named (C28)', async () => {
    bench.connection.holdNext('set a 1');
    const failed = bench.transaction(async (tx) => {
      void tx.run('set a 1', [], { name: 'saveA' });
    });
    const error: TransactionError = await failureOf(failed);
    expect(error).toBeInstanceOf(TransactionError);
    expect(error.code).toBe('ERR_MILLPOND_UNAWAITED_QUERY');
    expect(error.message).toMatch(/Transaction #1 .* "saveA" set a 1 called at /);
    expect(bench.committed).toEqual({});
  });

  test('are refused, not sent elsewhere, and do not end the process', async () => {
    let late: Promise<unknown> | undefined;
    bench.connection.holdNext('set a 1');
    const failed = bench.transaction(async (tx) => {
      late = tx.run('set a 1');
    });
    await failureOf(failed);
    await settled();
    expect(await failureOf(late!)).toBeInstanceOf(TransactionClosedError);
  });

  test('are counted where there are many', async () => {
    const texts = [1, 2, 3, 4, 5].map((i) => `set a ${'x'.repeat(300)}${i}`);
    bench.connection.holdNext(texts[0]!);
    const failed = bench.transaction(async (tx) => {
      for (const text of texts) void tx.run(text);
    });
    const error: Error = await failureOf(failed);
    expect(error.message).toMatch(/…/);
    expect(error.message).toMatch(/; and 2 more\.$/);
  });

  test('include transactions inside it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let inner: Promise<unknown> | undefined;
    const failed = bench.transaction(async () => {
      inner = bench.transaction(() => promise);
    });
    expect(await failureOf(failed)).toMatchObject({ code: 'ERR_MILLPOND_UNAWAITED_QUERY' });
    resolve();
    await inner;
    expect(bench.committed).toEqual({});
  });

  test('of a Promise.all with one failure are refused and leave nothing (C30)', async () => {
    const release = bench.connection.holdNext('set a 1');
    const error = new Error('one of many');
    const siblings: Promise<unknown>[] = [];
    const failed = bench.transaction(async (tx) => {
      for (const text of ['set a 1', 'set b 2', 'set c 3']) siblings.push(tx.run(text));
      const failing = tx
        .run('set d 4')
        .catch(() => {})
        .then(() => {});
      await Promise.all([...siblings, failing, Promise.reject(error)]);
    });
    expect(await failureOf(failed)).toBe(error);
    release();
    const ends = await Promise.allSettled(siblings);
    expect(ends.map((end) => end.status)).toEqual(['rejected', 'rejected', 'rejected']);
    for (const end of ends)
      expect(end).toMatchObject({ reason: { code: 'ERR_MILLPOND_TRANSACTION_CLOSED' } });
    expect(bench.log.at(-1)).toBe('rollback');
    expect(bench.committed).toEqual({});
  });

  test('that the engine answers after the fence fell do not look like a success', async () => {
    // Its cancelling comes too late: the statement succeeds, and is undone.
    bench.connection.cancelPending = () => {};
    const release = bench.connection.holdNext('set a 1');
    let late: Promise<unknown> | undefined;
    const failed = bench.transaction((tx) => {
      late = tx.run('set a 1');
      throw new Error('mine');
    });
    const ended = failureOf(failed);
    await settled();
    release();
    expect(await ended).toMatchObject({ message: 'mine' });
    expect(await failureOf(late!)).toBeInstanceOf(TransactionClosedError);
    expect(bench.committed).toEqual({});
  });
});
