import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SelfDeadlockError, TimeoutError, TransactionClosedError } from '../errors/index.ts';
import { failureOf, forever, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';

let bench: TransactionBench;
beforeEach(() => {
  bench = new TransactionBench();
});
afterEach(() => {
  expect(bench.faults()).toEqual([]);
});

describe('at the same time', () => {
  test('nested transactions run one after another, in order', async () => {
    await bench.transaction(async (tx) => {
      const ends = await Promise.allSettled(
        ['1', '2', '3'].map((n) =>
          tx.transaction(async (inner) => {
            await inner.run(`set k${n} ${n}`);
            await settled();
            if (n === '2') throw new Error('second');
            await inner.run(`set l${n} ${n}`);
          }),
        ),
      );
      expect(ends.map((end) => end.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    });
    expect(bench.committed).toEqual({ k1: '1', l1: '1', k3: '3', l3: '3' });
  });

  test('a statement of the outer one waits for the nested one, and is not undone with it', async () => {
    await bench.transaction(async (tx) => {
      const nested = failureOf(
        tx.transaction(async () => {
          await settled();
          throw new Error('inner');
        }),
      );
      const results = await Promise.all([
        nested,
        tx.run('set a 1'),
        bench.run('set b 2'),
        bench.value('get c'),
      ]);
      expect(results).toHaveLength(4);
    });
    expect(bench.log).toEqual([
      'begin',
      'savepoint',
      'rollback to',
      'release',
      'set a 1',
      'set b 2',
      'get c',
      'commit',
    ]);
    expect(bench.committed).toEqual({ a: '1', b: '2' });
  });

  test('what waits keeps the context it was called in', async () => {
    const request = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    await bench.transaction((tx) =>
      Promise.all([
        request.run('first', () => tx.transaction(() => settled())),
        request.run('second', () =>
          tx.transaction(async () => {
            seen.push(request.getStore());
            await bench.run('set a 1');
          }),
        ),
      ]),
    );
    expect(seen).toEqual(['second']);
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('a call on the outer handle from inside the nested one is an error at once', async () => {
    await bench.transaction(async (tx) => {
      await tx.transaction(async () => {
        expect(await failureOf(tx.run('set a 1'))).toBeInstanceOf(SelfDeadlockError);
        expect(await failureOf(tx.transaction(() => 1))).toBeInstanceOf(SelfDeadlockError);
        expect(await failureOf(tx.begin())).toBeInstanceOf(SelfDeadlockError);
        expect(await failureOf(tx.stream('get a').next())).toBeInstanceOf(SelfDeadlockError);
      });
    });
    expect(bench.log).toEqual(['begin', 'savepoint', 'release', 'commit']);
  });

  test('a waiting statement keeps its own limits', async () => {
    await bench.transaction(async (tx) => {
      let end = (): void => {};
      const nested = tx.transaction(() => new Promise<void>((resolve) => (end = resolve)));
      const controller = new AbortController();
      const late = failureOf(tx.run('set a 1', [], { timeoutMs: 100 }));
      const aborted = failureOf(tx.run('set b 2', [], { signal: controller.signal }));
      const hopeless = failureOf(tx.run('set c 3', [], { signal: AbortSignal.abort(new Error('before')) }));
      const patient = tx.run('set d 4', [], { timeoutMs: 1_000 });
      controller.abort(new Error('gone'));
      await bench.clock.advanceAsync(400);
      expect(await late).toBeInstanceOf(TimeoutError);
      expect(await aborted).toMatchObject({ message: 'gone' });
      expect(await hopeless).toMatchObject({ message: 'before' });
      end();
      await Promise.all([nested, patient]);
    });
    expect(bench.committed).toEqual({ d: '4' });
    expect(bench.connection.seenOptions.at(-1)).toMatchObject({ timeoutMs: 600 });
  });

  test('a waiting stream that is closed before its turn is never opened', async () => {
    await bench.transaction(async (tx) => {
      const nested = tx.transaction(() => settled());
      const stream = bench.manager.current()!.stream('get a');
      const first = stream.next();
      const closed = stream.return!();
      await nested;
      await Promise.all([first, closed]);
    });
    expect(bench.connection.openCursors).toBe(0);
  });

  test('what waits is refused when the transaction ends', async () => {
    const waiting: Promise<unknown>[] = [];
    const failed = failureOf(
      bench.transaction(
        (tx) => {
          const nested = tx.transaction(forever);
          waiting.push(
            tx.run('set a 1'),
            tx.transaction(() => 1),
          );
          return nested;
        },
        { timeoutMs: 100 },
      ),
    );
    await bench.clock.advanceAsync(100);
    await failed;
    for (const one of waiting) expect(await failureOf(one)).toBeInstanceOf(TransactionClosedError);
    expect(bench.log).toEqual(['begin', 'savepoint', 'rollback']);
  });

  test('the line of waiting calls has a limit', async () => {
    await bench.transaction(async (tx) => {
      let end = (): void => {};
      const nested = tx.transaction(() => new Promise<void>((resolve) => (end = resolve)));
      const waiting = Array.from({ length: 10_000 }, () => tx.value('get a'));
      expect(await failureOf(tx.value('get a'))).toMatchObject({ code: 'ERR_MILLPOND_TRANSACTION' });
      end();
      await Promise.all([nested, ...waiting]);
    });
  });
});
