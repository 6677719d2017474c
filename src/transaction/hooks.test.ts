import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SelfDeadlockError, TransactionClosedError, UsageError } from '../errors/index.ts';
import { failureOf, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';
import { withoutTransaction } from './context.ts';
import { onCommit, onRollback, type TransactionHookError } from './hooks.ts';

let bench: TransactionBench;
let seen: unknown[];
beforeEach(() => {
  bench = new TransactionBench();
  seen = [];
});
afterEach(() => {
  expect(bench.faults()).toEqual([]);
});

const note = (what: unknown) => () => void seen.push(what);

describe('onCommit', () => {
  test('runs in order after COMMIT and is awaited', async () => {
    await bench.transaction(async (tx) => {
      onCommit(async () => {
        await settled();
        seen.push(['first', tx.state, bench.log.at(-1), bench.source.leased]);
      });
      tx.onCommit(note('second'));
      await bench.run('set a 1');
      seen.push('work');
    });
    expect(seen).toEqual(['work', ['first', 'committed', 'commit', 0], 'second']);
  });

  test('is not run after a rollback', async () => {
    await failureOf(
      bench.transaction(() => {
        onCommit(note('commit'));
        throw new Error('mine');
      }),
    );
    expect(seen).toEqual([]);
  });

  test('runs outside the transaction, in whose place a new one may begin', async () => {
    await bench.transaction(async () => {
      await bench.run('set a 1');
      onCommit(async () => {
        await bench.run('set b 2');
        await bench.transaction(() => bench.run('set c 3'));
      });
    });
    expect(bench.autocommitted).toEqual(['set b 2']);
    expect(bench.committed).toEqual({ a: '1', c: '3' });
  });

  test('keeps the other contexts of the place where it was registered', async () => {
    const request = new AsyncLocalStorage<string>();
    await bench.transaction(() =>
      request.run('request 7', () => onCommit(() => seen.push(request.getStore()))),
    );
    expect(seen).toEqual(['request 7']);
  });

  test('of a savepoint waits for the whole', async () => {
    await bench.transaction(async (tx) => {
      await tx.transaction(() => onCommit(note('inner')));
      onCommit(note('outer'));
      seen.push('work');
    });
    expect(seen).toEqual(['work', 'inner', 'outer']);
  });

  test('of a savepoint that rolled back is dropped', async () => {
    await bench.transaction(async (tx) => {
      const nested = tx.transaction(() => {
        onCommit(note('inner'));
        throw new Error('mine');
      });
      await failureOf(nested);
      onCommit(note('outer'));
    });
    expect(seen).toEqual(['outer']);
  });

  test('that throws leaves the transaction committed and the others running', async () => {
    const first = new Error('first');
    const failed = bench.transaction(async () => {
      onCommit(() => Promise.reject(first));
      onCommit(note('between'));
      onCommit(() => {
        throw new Error('second');
      });
      await bench.run('set a 1');
    });
    const error: TransactionHookError = await failureOf(failed);
    expect(error).toMatchObject({ code: 'ERR_MILLPOND_HOOK', committed: true, cause: first });
    expect(error.errors).toHaveLength(2);
    expect(error.message).toBe('Transaction #1 is committed, but 2 onCommit callbacks failed.');
    expect(seen).toEqual(['between']);
    expect(bench.committed).toEqual({ a: '1' });
    expect(bench.manager.stats()).toMatchObject({ committed: 1, rolledBack: 0 });
  });

  test('that throws alone says so', async () => {
    const failed = bench.transaction(() => onCommit(() => Promise.reject(new Error('mine'))));
    expect(await failureOf(failed)).toMatchObject({
      message: 'Transaction #1 is committed, but an onCommit callback failed.',
    });
  });
});

describe('onRollback', () => {
  test('runs with the error after ROLLBACK, outside, before the error is passed on', async () => {
    const error = new Error('mine');
    const failed = bench.transaction(async () => {
      onRollback(async (reason) => {
        await bench.run('set a 1');
        seen.push(reason, bench.log.at(-1), bench.source.leased);
      });
      throw error;
    });
    expect(await failureOf(failed)).toBe(error);
    expect(seen).toEqual([error, 'rollback', 0]);
    expect(bench.autocommitted).toEqual(['set a 1']);
  });

  test('is not run after a commit', async () => {
    await bench.transaction(() => onRollback(note('rollback')));
    expect(seen).toEqual([]);
  });

  test('of a savepoint runs when that rolls back, inside the outer transaction', async () => {
    const error = new Error('mine');
    await bench.transaction(async (tx) => {
      const nested = tx.transaction(() => {
        onRollback(async (reason) => {
          seen.push(reason);
          await bench.run('set a 1');
        });
        throw error;
      });
      await failureOf(nested);
      seen.push('outer goes on');
    });
    expect(seen).toEqual([error, 'outer goes on']);
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('of a released savepoint runs when the whole rolls back', async () => {
    await failureOf(
      bench.transaction(async (tx) => {
        await tx.transaction(() => onRollback(note('inner')));
        throw new Error('mine');
      }),
    );
    expect(seen).toEqual(['inner']);
  });

  test('that throws does not take the place of the error; it is reported', async () => {
    const error = new Error('mine');
    const second = new Error('of the callback');
    const failed = bench.transaction(() => {
      onRollback(() => Promise.reject(second));
      onRollback(note('next'));
      throw error;
    });
    expect(await failureOf(failed)).toBe(error);
    expect(bench.reported).toEqual([second]);
    expect(seen).toEqual(['next']);
  });
});

describe('a callback', () => {
  test('can be registered only inside a transaction', async () => {
    expect(() => onCommit(() => {})).toThrow(UsageError);
    expect(() => onRollback(() => {})).toThrow(UsageError);
    await bench.transaction(() => {
      expect(() => withoutTransaction(() => onCommit(() => {}))).toThrow(UsageError);
      return bench.transaction(() => expect(() => onCommit(() => {})).toThrow(UsageError), {
        propagation: 'not-supported',
      });
    });
  });

  test('cannot be registered in a transaction that has ended', async () => {
    let late: Promise<unknown> | undefined;
    await bench.transaction(() => {
      late = settled().then(() => onCommit(() => {}));
    });
    expect(await failureOf(late!)).toBeInstanceOf(TransactionClosedError);
  });

  test('must be a function', async () => {
    await bench.transaction((tx) => {
      expect(() => tx.onCommit('publish' as never)).toThrow('onCommit() takes a function.');
      expect(() => tx.onRollback(undefined as never)).toThrow('onRollback() takes a function.');
    });
  });

  test('goes to the nearest transaction of whichever database', async () => {
    const other = new TransactionBench({}, 'analytics');
    const failed = bench.transaction(async () => {
      await other.transaction(() => onCommit(note('analytics')));
      onCommit(note('main'));
      await bench.transaction(() => other.transaction(() => onRollback(note('never'))), {
        propagation: 'not-supported',
      });
      throw new Error('mine');
    });
    await failureOf(failed);
    expect(seen).toEqual(['analytics']);
  });

  test('that writes while its transaction goes on is told so, where there is one writer', async () => {
    const failed = bench.transaction(async (tx) => {
      onCommit(() => bench.run('set a 1'));
      await tx.commitAndContinue();
    });
    const error: TransactionHookError = await failureOf(failed);
    expect(error.cause).toBeInstanceOf(SelfDeadlockError);
  });
});
