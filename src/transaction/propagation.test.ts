import { beforeEach, describe, expect, test } from 'vitest';
import { ReadOnlyError, SelfDeadlockError, TransactionClosedError, UsageError } from '../errors/index.ts';
import { failureOf, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';
import { withoutTransaction } from './context.ts';
import type { Propagation } from './transaction-options.ts';

let bench: TransactionBench;
beforeEach(() => {
  bench = new TransactionBench({ exclusiveWriter: false, connections: 3 });
});

/** What becomes of a call with this propagation: the kind of transaction it sees, or its error's name. */
async function fate(propagation: Propagation, outerId?: number): Promise<string> {
  const run = bench.transaction(
    async (tx) => {
      await settled();
      if (tx === undefined) return bench.manager.current() === undefined ? 'none' : 'leaked';
      if (bench.manager.current() !== tx) return 'not ambient';
      if (tx.id !== outerId) return 'new';
      return bench.connection.log.includes('savepoint') ? 'nested' : 'joined';
    },
    { propagation: propagation as 'supports' },
  );
  return run.catch((error: Error) => error.name);
}

const TABLE: readonly [Propagation, outside: string, inside: string, late: string, steppedOut: string][] = [
  ['required', 'new', 'joined', 'TransactionClosedError', 'new'],
  ['requires-new', 'new', 'new', 'new', 'new'],
  ['nested', 'new', 'nested', 'TransactionClosedError', 'new'],
  ['mandatory', 'UsageError', 'joined', 'TransactionClosedError', 'UsageError'],
  ['never', 'none', 'UsageError', 'TransactionClosedError', 'none'],
  ['supports', 'none', 'joined', 'TransactionClosedError', 'none'],
  ['not-supported', 'none', 'none', 'none', 'none'],
];

describe.each(TABLE)("propagation '%s'", (propagation, outside, inside, late, steppedOut) => {
  test(`outside a transaction: ${outside}`, async () => {
    expect(await fate(propagation)).toBe(outside);
  });

  test(`inside a transaction: ${inside}`, async () => {
    expect(await bench.transaction((tx) => fate(propagation, tx.id))).toBe(inside);
  });

  test(`inside a transaction that nests: ${inside === 'joined' ? 'nested' : inside}`, async () => {
    const found = bench.transaction((tx) => fate(propagation, tx.id), { inner: 'nest' });
    expect(await found).toBe(inside === 'joined' ? 'nested' : inside);
  });

  test(`in work that outlived its transaction: ${late}`, async () => {
    let fateLater = Promise.resolve('');
    await bench.transaction((tx) => {
      fateLater = settled().then(() => fate(propagation, tx.id));
    });
    expect(await fateLater).toBe(late);
  });

  test(`stepped out of a transaction: ${steppedOut}`, async () => {
    expect(await bench.transaction((tx) => withoutTransaction(() => fate(propagation, tx.id)))).toBe(
      steppedOut,
    );
  });

  test('leaves nothing behind', async () => {
    await bench.transaction((tx) => fate(propagation, tx.id));
    await settled();
    expect(bench.faults()).toEqual([]);
  });
});

test('a refusal has a code of its own', async () => {
  const error: UsageError = await failureOf(bench.transaction(() => 1, { propagation: 'mandatory' }));
  expect(error.code).toBe('ERR_MILLPOND_PROPAGATION');
});

describe('a joined part', () => {
  test('that fails dooms the whole, even where the outer function swallows its error', async () => {
    const cause = new Error('inner');
    const failed = bench.transaction(async () => {
      await bench.run('set a 1');
      await bench.transaction(() => Promise.reject(cause)).catch(() => {});
    });
    const error: Error & { code: string } = await failureOf(failed);
    expect(error.code).toBe('ERR_MILLPOND_ROLLBACK_ONLY');
    expect(error.cause).toBe(cause);
    expect(bench.committed).toEqual({});
  });

  test('that fails makes only the savepoint it is in impossible to release', async () => {
    await bench.transaction(async () => {
      await bench.run('set a 1');
      const nested = bench.transaction(
        async () => {
          await bench.run('set b 2');
          await bench.transaction(() => Promise.reject(new Error('inner'))).catch(() => {});
        },
        { propagation: 'nested' },
      );
      expect(await failureOf(nested)).toMatchObject({ code: 'ERR_MILLPOND_ROLLBACK_ONLY' });
    });
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('passes its error on to an outer that does not swallow it', async () => {
    const error = new Error('inner');
    const failed = bench.transaction(() => bench.transaction(() => Promise.reject(error)));
    expect(await failureOf(failed)).toBe(error);
  });

  test('cannot end the whole', async () => {
    await bench.transaction(() =>
      bench.transaction(async (joined) => {
        expect(await failureOf(joined.commit())).toBeInstanceOf(UsageError);
        expect(await failureOf(joined.rollback())).toBeInstanceOf(UsageError);
        expect(await failureOf(joined.commitAndContinue())).toBeInstanceOf(UsageError);
      }),
    );
    expect(bench.log).toEqual(['begin', 'commit']);
  });

  test('with a timeout of its own ends the whole by it (P4)', async () => {
    const failed = failureOf(
      bench.transaction(() => bench.transaction(() => new Promise(() => {}), { timeoutMs: 100 })),
    );
    await bench.clock.advanceAsync(100);
    expect(await failed).toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT', timeoutMs: 100 });
    expect(bench.faults()).toEqual([]);
  });

  test('with a signal of its own ends the whole by it', async () => {
    const controller = new AbortController();
    const failed = failureOf(
      bench.transaction(() => bench.transaction(() => new Promise(() => {}), { signal: controller.signal })),
    );
    await settled();
    controller.abort(new Error('gone'));
    expect(await failed).toMatchObject({ message: 'gone' });
  });

  test('does not start where its signal is aborted already', async () => {
    await bench.transaction(async () => {
      const refused = bench.transaction(() => 1, { signal: AbortSignal.abort(new Error('gone')) });
      expect(await failureOf(refused)).toMatchObject({ message: 'gone' });
    });
    expect(bench.manager.stats().committed).toBe(1);
  });
});

describe('reading and writing', () => {
  const modes = ['required', 'mandatory', 'nested'] as const;

  test.each(modes)(
    "a part that may write cannot run in a read-only transaction, '%s'",
    async (propagation) => {
      await bench.transaction(
        async () => {
          const refused = bench.transaction(() => 1, { propagation });
          expect(await failureOf(refused)).toMatchObject({ code: 'ERR_MILLPOND_PROPAGATION' });
          expect(await bench.transaction((tx) => tx.readOnly, { propagation, readOnly: true })).toBe(true);
        },
        { readOnly: true },
      );
    },
  );

  test("'supports' takes a read-only transaction as it is", async () => {
    const seen = await bench.transaction(
      () => bench.transaction((tx) => tx?.readOnly, { propagation: 'supports' }),
      { readOnly: true },
    );
    expect(seen).toBe(true);
  });

  test('a read-only part of a writing transaction reads its writes and refuses to write (J5)', async () => {
    await bench.transaction(async (outer) => {
      await outer.run('set a 1');
      await bench.transaction(
        async (tx) => {
          expect(await bench.value('get a')).toBe('1');
          expect(await failureOf(tx.run('set b 2'))).toBeInstanceOf(ReadOnlyError);
          expect(await failureOf(bench.run('set b 2'))).toBeInstanceOf(ReadOnlyError);
          expect(await failureOf(bench.batch(['set b 2']))).toBeInstanceOf(ReadOnlyError);
          expect(await failureOf(bench.batch([]))).toBeInstanceOf(ReadOnlyError);
          expect(await failureOf(bench.script('set b 2'))).toBeInstanceOf(ReadOnlyError);
          const nested = bench.transaction((inner) => inner.readOnly, {
            propagation: 'nested',
            readOnly: true,
          });
          expect(await nested).toBe(true);
        },
        { readOnly: true },
      );
      await outer.run('set c 3');
    });
    expect(bench.committed).toEqual({ a: '1', c: '3' });
  });
});

describe('isolation', () => {
  test('of a part cannot be more than that of the whole', async () => {
    const work = async (): Promise<void> => {
      await bench.transaction(() => 1, { isolation: 'read committed' });
      await bench.transaction(() => 1, { isolation: 'repeatable read', propagation: 'nested' });
      expect(await failureOf(bench.transaction(() => 1, { isolation: 'serializable' }))).toBeInstanceOf(
        UsageError,
      );
    };
    await bench.transaction(work, { isolation: 'repeatable read' });
  });

  test("of a part cannot be asked for where the whole has its engine's default", async () => {
    const failed = bench.transaction(() => bench.transaction(() => 1, { isolation: 'read committed' }));
    expect(await failureOf(failed)).toMatchObject({ code: 'ERR_MILLPOND_PROPAGATION' });
  });

  test('is always enough where there is one writer', async () => {
    bench = new TransactionBench();
    expect(await bench.transaction(() => bench.transaction(() => 1, { isolation: 'serializable' }))).toBe(1);
  });
});

describe('a new transaction inside another', () => {
  test('is independent of it', async () => {
    const failed = bench.transaction(async () => {
      await bench.run('set a 1');
      await bench.transaction(() => bench.run('set b 2'), { propagation: 'requires-new' });
      await bench.run('set c 3');
      throw new Error('outer');
    });
    await failureOf(failed);
    expect(bench.committed).toEqual({ b: '2' });
  });

  test('is an error at once where the outer one holds the only writer, never a hang (C33)', async () => {
    bench = new TransactionBench();
    const failed = bench.transaction(() => bench.transaction(() => 1, { propagation: 'requires-new' }));
    expect(await failureOf(failed)).toBeInstanceOf(SelfDeadlockError);
    expect(bench.faults()).toEqual([]);
  });

  test('in work that outlived its transaction still finds the fence at its old handle', async () => {
    let late: Promise<unknown> | undefined;
    await bench.transaction((tx) => {
      late = settled().then(async () => {
        await bench.transaction(() => bench.run('set a 1'), { propagation: 'requires-new' });
        return tx.run('set b 2');
      });
    });
    expect(await failureOf(late!)).toBeInstanceOf(TransactionClosedError);
    expect(bench.committed).toEqual({ a: '1' });
  });
});
