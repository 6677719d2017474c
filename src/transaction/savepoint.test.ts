import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TimeoutError, TransactionClosedError, UsageError } from '../errors/index.ts';
import { failureOf, forever, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';

let bench: TransactionBench;
beforeEach(() => {
  bench = new TransactionBench();
});
afterEach(() => {
  expect(bench.faults()).toEqual([]);
});

describe('a nested transaction', () => {
  test('is a savepoint that is released', async () => {
    const result = await bench.transaction(async (tx) => {
      await tx.run('set a 1');
      return tx.transaction(async (inner) => {
        await inner.run('set b 2');
        await bench.run('set c 3');
        return inner.id === tx.id && inner.state;
      });
    });
    expect(result).toBe('active');
    expect(bench.log).toEqual(['begin', 'set a 1', 'savepoint', 'set b 2', 'set c 3', 'release', 'commit']);
  });

  test('that fails undoes its own part and passes its error on', async () => {
    const error = new Error('inner');
    await bench.transaction(async (tx) => {
      await tx.run('set a 1');
      const nested = tx.transaction(async (inner) => {
        await inner.run('set a 2');
        throw error;
      });
      expect(await failureOf(nested)).toBe(error);
      expect(await tx.value('get a')).toBe('1');
    });
    expect(bench.log).toEqual([
      'begin',
      'set a 1',
      'savepoint',
      'set a 2',
      'rollback to',
      'release',
      'get a',
      'commit',
    ]);
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('refuses its handle after its end, while the outer one goes on (B8)', async () => {
    await bench.transaction(async (tx) => {
      let handle: typeof tx | undefined;
      await tx.transaction((inner) => void (handle = inner));
      const error: Error = await failureOf(handle!.run('set a 1'));
      expect(error).toBeInstanceOf(TransactionClosedError);
      expect(error.message).toMatch(/^Savepoint millpond_sp_1 of Transaction #1 was released 0 ms ago/);
      await tx.run('set b 2');
    });
    expect(bench.committed).toEqual({ b: '2' });
  });

  test('with an un-awaited call undoes its own part', async () => {
    const release = bench.connection.holdNext('set b 2');
    await bench.transaction(async (tx) => {
      await tx.run('set a 1');
      let late: Promise<unknown> | undefined;
      const nested = failureOf(tx.transaction((inner) => void (late = inner.run('set b 2'))));
      await settled();
      release();
      expect(await nested).toMatchObject({ code: 'ERR_MILLPOND_UNAWAITED_QUERY' });
      expect(await failureOf(late!)).toBeInstanceOf(TransactionClosedError);
    });
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('whose RELEASE fails is undone (C32)', async () => {
    const error = new Error('deferred');
    bench.connection.failNext('release', error);
    await bench.transaction(async (tx) => {
      const nested = tx.transaction((inner) => inner.run('set a 1'));
      expect(await failureOf(nested)).toBe(error);
      await tx.run('set b 2');
    });
    expect(bench.committed).toEqual({ b: '2' });
  });

  test('that cannot be opened dooms the whole, which its statements may have become part of', async () => {
    const error = new Error('no savepoint');
    bench.connection.failNext('savepoint', error);
    const failed = bench.transaction(async (tx) => {
      const nested = tx.transaction((inner) => inner.run('set a 1'));
      expect(await failureOf(nested)).toBe(error);
    });
    expect(await failureOf(failed)).toMatchObject({ code: 'ERR_MILLPOND_ROLLBACK_ONLY', cause: error });
    expect(bench.committed).toEqual({});
  });

  test('that cannot be opened is no success where it does nothing else', async () => {
    const error = new Error('no savepoint');
    bench.connection.failNext('savepoint', error);
    const failed = bench.transaction((tx) => tx.transaction(() => 1));
    expect(await failureOf(failed)).toBe(error);
  });

  test('that cannot be opened says so even after RELEASE was sent', async () => {
    const error = new Error('no savepoint');
    const release = bench.connection.holdNext('savepoint', { failWith: error });
    const failed = failureOf(bench.transaction((tx) => tx.transaction(() => 1)));
    await settled();
    release();
    expect(await failed).toBe(error);
  });

  test('that cannot be undone makes the level above impossible to commit', async () => {
    const error = new Error('mine');
    bench.connection.failNext('rollback to', new Error('io'));
    const failed = bench.transaction(async (tx) => {
      await failureOf(tx.transaction(() => Promise.reject(error)));
    });
    expect(await failureOf(failed)).toMatchObject({ code: 'ERR_MILLPOND_ROLLBACK_ONLY', cause: error });
  });

  test('in which the engine ended the whole transaction passes the first error on', async () => {
    const failed = bench.transaction(async (tx) => {
      await tx.transaction((inner) => inner.run('explode now'));
    });
    expect(await failureOf(failed)).toMatchObject({ message: 'explode now ended the transaction' });
    await bench.transaction((tx) => tx.run('set a 1'));
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('ends with the whole when that is ended from outside', async () => {
    const inner = Promise.withResolvers<unknown>();
    const failed = failureOf(
      bench.transaction(
        async (tx) => {
          inner.resolve(await failureOf(tx.transaction(forever)));
        },
        { timeoutMs: 500 },
      ),
    );
    await bench.clock.advanceAsync(500);
    expect(await failed).toBeInstanceOf(TimeoutError);
    expect(await inner.promise).toBeInstanceOf(TransactionClosedError);
    expect(bench.log).toEqual(['begin', 'savepoint', 'rollback']);
  });

  test('ends with the whole while it is being released', async () => {
    const { connection } = bench;
    const release = connection.holdNext('release');
    // Its cancelling comes too late: RELEASE succeeds, in a transaction that is being rolled back.
    connection.cancelPending = () => {};
    const inner = Promise.withResolvers<unknown>();
    const failed = failureOf(
      bench.transaction(
        async (tx) => {
          inner.resolve(await failureOf(tx.transaction(() => 1)));
        },
        { timeoutMs: 500 },
      ),
    );
    await bench.clock.advanceAsync(500);
    release();
    expect(await failed).toBeInstanceOf(TimeoutError);
    expect(await inner.promise).toBeInstanceOf(TransactionClosedError);
  });

  test('ends with the whole while it is being rolled back', async () => {
    const { connection } = bench;
    connection.holdNext('rollback to');
    const error = new Error('mine');
    const inner = Promise.withResolvers<unknown>();
    const failed = failureOf(
      bench.transaction(
        async (tx) => {
          inner.resolve(await failureOf(tx.transaction(() => Promise.reject(error))));
        },
        { timeoutMs: 500 },
      ),
    );
    await bench.clock.advanceAsync(500);
    expect(await failed).toBeInstanceOf(TimeoutError);
    expect(await inner.promise).toBe(error);
  });

  test('can be a thousand deep (C31)', async () => {
    const descend = async (depth: number): Promise<number> => {
      if (depth === 0) return 0;
      await bench.run(`set k${depth} 1`);
      return 1 + (await bench.transaction(() => descend(depth - 1), { propagation: 'nested' }));
    };
    expect(await bench.transaction(() => descend(1_000))).toBe(1_000);
    expect(Object.keys(bench.committed)).toHaveLength(1_000);
  });
});

describe('limits of a nested transaction', () => {
  test('end it alone, its statements included', async () => {
    bench.connection.holdNext('set b 2');
    await bench.transaction(async (tx) => {
      await tx.run('set a 1');
      let statement: Promise<unknown> | undefined;
      const nested = failureOf(
        tx.transaction((inner) => (statement = inner.run('set b 2')), { timeoutMs: 100 }),
      );
      await bench.clock.advanceAsync(100);
      expect(await nested).toMatchObject({
        code: 'ERR_MILLPOND_TIMEOUT',
        rollback: 'confirmed',
        timeoutMs: 100,
      });
      expect(await failureOf(statement!)).toBeInstanceOf(TimeoutError);
      await tx.run('set c 3');
    });
    expect(bench.committed).toEqual({ a: '1', c: '3' });
  });

  test('hold for savepoints inside it', async () => {
    bench.connection.holdNext('set b 2');
    await bench.transaction(async (tx) => {
      const nested = failureOf(
        tx.transaction(
          (inner) => inner.transaction((innermost) => innermost.run('set b 2'), { timeoutMs: 900 }),
          {
            timeoutMs: 100,
          },
        ),
      );
      await bench.clock.advanceAsync(100);
      expect(await nested).toMatchObject({ timeoutMs: 100 });
    });
    expect(bench.log.filter((name) => name === 'rollback to')).toHaveLength(1);
  });

  test('join those of a statement', async () => {
    const controller = new AbortController();
    bench.connection.holdNext('set b 2');
    await bench.transaction((tx) =>
      tx.transaction(
        async (inner) => {
          const statement = failureOf(inner.run('set b 2', [], { signal: controller.signal, timeoutMs: 40 }));
          controller.abort(new Error('gone'));
          expect(await statement).toMatchObject({ message: 'gone' });
        },
        { timeoutMs: 100 },
      ),
    );
    expect(bench.connection.seenOptions[0]).toMatchObject({ timeoutMs: 40 });
    expect(bench.clock.pending).toBe(0);
  });

  test('include a signal', async () => {
    const controller = new AbortController();
    await bench.transaction(async (tx) => {
      const nested = failureOf(tx.transaction(forever, { signal: controller.signal }));
      await settled();
      controller.abort(new Error('gone'));
      expect(await nested).toMatchObject({ message: 'gone' });
      expect(await failureOf(tx.transaction(forever, { signal: controller.signal }))).toMatchObject({
        message: 'gone',
      });
      expect(await failureOf(tx.begin({ signal: controller.signal }))).toMatchObject({ message: 'gone' });
    });
  });

  test('that are wrong are refused', async () => {
    await bench.transaction(async (tx) => {
      expect(await failureOf(tx.transaction(() => 1, { retry: 1 } as never))).toBeInstanceOf(UsageError);
      expect(await failureOf(tx.begin({ retry: 1 } as never))).toBeInstanceOf(UsageError);
    });
  });
});

describe('a savepoint with a handle', () => {
  test('is released by commit() and undone by rollback()', async () => {
    await bench.transaction(async (tx) => {
      const kept = await tx.begin();
      await kept.run('set a 1');
      await kept.commit();
      const undone = await tx.begin();
      await undone.run('set a 2');
      await undone.rollback();
      await undone.rollback();
      expect([kept.state, undone.state]).toEqual(['committed', 'rolled-back']);
    });
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('is undone by leaving its scope', async () => {
    await bench.transaction(async (tx) => {
      {
        await using savepoint = await tx.begin();
        await savepoint.run('set a 1');
      }
      await tx.run('set b 2');
    });
    expect(bench.committed).toEqual({ b: '2' });
  });

  test('keeps its outer transaction from being used until it has ended', async () => {
    await bench.transaction(async (tx) => {
      const savepoint = await tx.begin();
      expect(await failureOf(tx.run('set a 1'))).toBeInstanceOf(UsageError);
      await savepoint.commit();
      await tx.run('set a 1');
    });
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('left open makes the whole roll back', async () => {
    const failed = bench.transaction((tx) => tx.begin().then(() => {}));
    expect(await failureOf(failed)).toMatchObject({ code: 'ERR_MILLPOND_UNAWAITED_QUERY' });
  });

  test('that cannot be opened rejects', async () => {
    const error = new Error('no savepoint');
    bench.connection.failNext('savepoint', error);
    const failed = bench.transaction(async (tx) => {
      expect(await failureOf(tx.begin())).toBe(error);
      await tx.run('set a 1');
    });
    expect(await failureOf(failed)).toMatchObject({ code: 'ERR_MILLPOND_ROLLBACK_ONLY' });
  });

  test('has limits of its own', async () => {
    await bench.transaction(async (tx) => {
      const savepoint = await tx.begin({ timeoutMs: 100, readOnly: true, name: 'part' });
      expect(savepoint.readOnly).toBe(true);
      await bench.clock.advanceAsync(100);
      expect(await failureOf(savepoint.commit())).toBeInstanceOf(TransactionClosedError);
      await savepoint.rollback();
      await tx.run('set a 1');
    });
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('cannot commit the transaction it is in', async () => {
    await bench.transaction(async (tx) => {
      const savepoint = await tx.begin();
      expect(await failureOf(savepoint.commitAndContinue())).toBeInstanceOf(UsageError);
      await savepoint.commit();
    });
  });
});
