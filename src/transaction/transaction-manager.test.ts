import { afterEach, describe, expect, test } from 'vitest';
import { QueryExecutionError, TransactionError, UsageError } from '../errors/index.ts';
import { failureOf, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';

let bench = new TransactionBench();
afterEach(() => {
  const { faults } = bench;
  const found = faults.call(bench);
  bench = new TransactionBench();
  expect(found).toEqual([]);
});

describe('a transaction that is run', () => {
  test('commits when its function resolves, and gives what it gave (T2)', async () => {
    const result = await bench.transaction(async (tx) => {
      await tx.run('set a 1');
      return tx.value('get a');
    });
    expect(result).toBe('1');
    expect(bench.log).toEqual(['begin', 'set a 1', 'get a', 'commit']);
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('takes calls on the database that are made inside it (P5)', async () => {
    await bench.transaction(async () => {
      await bench.run('set a 1');
      await settled();
      await Promise.all([bench.run('set b 2'), bench.run('set c 3')]);
    });
    expect(bench.autocommitted).toEqual([]);
    expect(bench.committed).toEqual({ a: '1', b: '2', c: '3' });
  });

  test('rolls back and passes the same error on when its function rejects (T2)', async () => {
    const error = new RangeError('mine');
    const failed = bench.transaction(async (tx) => {
      await tx.run('set a 1');
      throw error;
    });
    expect(await failureOf(failed)).toBe(error);
    expect(bench.log).toEqual(['begin', 'set a 1', 'rollback']);
    expect(bench.committed).toEqual({});
  });

  test('rolls back when its function throws before it returns a promise', async () => {
    const error = new Error('at once');
    const failed = bench.transaction(() => {
      throw error;
    });
    expect(await failureOf(failed)).toBe(error);
    expect(bench.log).toEqual(['begin', 'rollback']);
  });

  test('takes a function that is not async', async () => {
    expect(await bench.transaction(() => 7)).toBe(7);
    expect(bench.log).toEqual(['begin', 'commit']);
  });

  test('does not wait for BEGIN before the first statement', async () => {
    const release = bench.connection.holdNext('begin');
    const done = bench.transaction((tx) => tx.run('set a 1'));
    await settled();
    expect(bench.connection.seenOptions).toHaveLength(1);
    release();
    await done;
  });

  test('asks for the isolation and the connection of its kind', async () => {
    await bench.transaction(() => {}, { isolation: 'serializable', name: 'import' });
    await bench.transaction(() => {}, { readOnly: true });
    expect(bench.connection.begun).toMatchObject([{ readOnly: false, isolation: 'serializable' }]);
    expect(bench.readers.connection.begun).toMatchObject([{ readOnly: true, isolation: undefined }]);
    expect(bench.source.requests[0]).toMatchObject({ holder: 'transaction "import"' });
  });

  test('rejects with the error of BEGIN, and not with what followed from it (C34)', async () => {
    const error = new QueryExecutionError('busy');
    bench.connection.failNext('begin', error);
    const failed = bench.transaction((tx) => tx.run('set a 1'));
    expect(await failureOf(failed)).toBe(error);
    expect(bench.committed).toEqual({});
    await bench.transaction((tx) => tx.run('set b 2'));
    expect(bench.committed).toEqual({ b: '2' });
  });

  test('rejects with the error of BEGIN when it did nothing else (C34)', async () => {
    const error = new QueryExecutionError('busy');
    bench.connection.failNext('begin', error);
    expect(await failureOf(bench.transaction(() => 1))).toBe(error);
    bench.connection.failNext('begin', 'no error at all');
    expect(await failureOf(bench.transaction(() => 1))).toBe('no error at all');
    expect(bench.manager.stats()).toMatchObject({ committed: 0, rolledBack: 2 });
  });

  test('rejects with the error of BEGIN when that comes after COMMIT was sent', async () => {
    const error = new QueryExecutionError('busy');
    const release = bench.connection.holdNext('begin', { failWith: error });
    const failed = failureOf(bench.transaction(() => 1));
    await settled();
    release();
    expect(await failed).toBe(error);
  });

  test('does not leak its connection when no connection can be had', async () => {
    const controller = new AbortController();
    controller.abort(new Error('gone'));
    const failed = bench.transaction(() => 1, { signal: controller.signal });
    expect(await failureOf(failed)).toMatchObject({ message: 'gone' });
    expect(bench.manager.stats().started).toBe(0);
  });

  test('gives the connection back when it is aborted while it is handed over', async () => {
    const controller = new AbortController();
    const failed = bench.transaction(() => 1, { signal: controller.signal });
    controller.abort(new Error('gone'));
    expect(await failureOf(failed)).toMatchObject({ message: 'gone' });
    expect(bench.log).toEqual([]);
  });
});

describe('closing', () => {
  test('rolls back what is open, lets a COMMIT end, and begins no more', async () => {
    bench = new TransactionBench({ exclusiveWriter: false, connections: 2 });
    const [first, second] = bench.source.connections;
    const open = failureOf(bench.transaction(() => new Promise(() => {})));
    const release = second!.holdNext('commit');
    const committing = bench.transaction((tx) => tx.run('set a 1'));
    await settled();
    const reason = new Error('shutting down');
    const closed = bench.manager.closeAll(reason);
    expect(await open).toBe(reason);
    release();
    await Promise.all([committing, closed]);
    expect(first!.log).toEqual(['begin', 'rollback']);
    expect(bench.committed).toEqual({ a: '1' });
    const late: TransactionError = await failureOf(bench.transaction(() => 1));
    expect(late).toBeInstanceOf(TransactionError);
    expect(late.cause).toBe(reason);
    expect(await failureOf(bench.manager.begin())).toBeInstanceOf(TransactionError);
  });

  test('refuses what was waiting for a connection', async () => {
    let end = (): void => {};
    const first = failureOf(bench.transaction(() => new Promise<void>((resolve) => (end = resolve))));
    const waiting = failureOf(bench.transaction(() => 1));
    await settled();
    await bench.manager.closeAll(new Error('shutting down'));
    expect(await waiting).toBeInstanceOf(TransactionError);
    end();
    await first;
  });

  test('waits for no longer than the grace', async () => {
    const release = bench.connection.holdNext('commit', { isStubborn: true });
    const done = bench.transaction(() => 1);
    await settled();
    let isClosed = false;
    const closed = bench.manager.closeAll(new Error('shutting down')).then(() => (isClosed = true));
    await bench.clock.advanceAsync(1_000);
    await closed;
    expect(isClosed).toBe(true);
    release();
    await done;
  });
});

test('events tell of every transaction and how it ended', async () => {
  await bench.transaction(() => 1, { name: 'first' });
  const error = new Error('mine');
  await failureOf(bench.transaction(() => Promise.reject(error)));
  expect(bench.events).toMatchObject([
    ['transaction:start', { transactionId: 1, name: 'first', readOnly: false, database: 'main' }],
    ['transaction:commit', { transactionId: 1, name: 'first', durationMs: 0 }],
    ['transaction:start', { transactionId: 2 }],
    ['transaction:rollback', { transactionId: 2, error }],
  ]);
});

test('a wrong option is refused before anything is done', async () => {
  const failed = bench.transaction(() => 1, { timeout: 5 } as never);
  expect(await failureOf(failed)).toBeInstanceOf(UsageError);
  expect(bench.source.requests).toEqual([]);
});

test('the transaction of the moment can be asked for', async () => {
  expect(bench.manager.current()).toBeUndefined();
  let late = (): unknown => undefined;
  await bench.transaction((tx) => {
    expect(bench.manager.current()).toBe(tx);
    late = () => bench.manager.current();
  });
  expect(late()).toBeUndefined();
});
