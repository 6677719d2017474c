import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TimeoutError, TransactionClosedError } from '../errors/index.ts';
import { failureOf, forever, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';

let bench: TransactionBench;
beforeEach(() => {
  bench = new TransactionBench();
});
afterEach(() => {
  expect(bench.faults()).toEqual([]);
});

describe('an abort', () => {
  test('rolls back and rejects with the reason of the signal', async () => {
    const controller = new AbortController();
    const failed = failureOf(bench.transaction(forever, { signal: controller.signal }));
    await settled();
    const reason = new Error('client went away');
    controller.abort(reason);
    expect(await failed).toBe(reason);
    expect(bench.log).toEqual(['begin', 'rollback']);
  });

  test('at the moment in which its connection comes is not overlooked', async () => {
    const two = new TransactionBench({ exclusiveWriter: false, connections: 2 });
    const controller = new AbortController();
    const reason = new Error('the other one was first');
    const first = two.transaction(() => controller.abort(reason));
    const second = failureOf(two.transaction((tx) => tx.run('set a 1'), { signal: controller.signal }));
    await first;
    expect(await second).toBe(reason);
    expect(two.committed).toEqual({});
    expect(two.faults()).toEqual([]);
  });

  test('passes on a reason that is not an error', async () => {
    const controller = new AbortController();
    bench.connection.holdNext('set a 1');
    let statement: Promise<unknown> | undefined;
    const failed = failureOf(
      bench.transaction((tx) => (statement = tx.run('set a 1')), { signal: controller.signal }),
    );
    await settled();
    controller.abort('just so');
    expect(await failed).toBe('just so');
    expect(await failureOf(statement!)).toMatchObject({ code: 'ERR_MILLPOND_TRANSACTION', cause: 'just so' });
  });

  test('by the work itself takes effect, though the work never ends', async () => {
    const controller = new AbortController();
    const failed = bench.transaction(
      () => {
        controller.abort(new Error('changed my mind'));
        return forever();
      },
      { signal: controller.signal },
    );
    expect(await failureOf(failed)).toMatchObject({ message: 'changed my mind' });
    const inner = new AbortController();
    const nested = bench.transaction((tx) =>
      tx.transaction(
        () => {
          inner.abort(new Error('changed it again'));
          return forever();
        },
        { signal: inner.signal },
      ),
    );
    expect(await failureOf(nested)).toMatchObject({ message: 'changed it again' });
    const outer = new AbortController();
    let part: Promise<unknown> | undefined;
    const whole = bench.transaction(
      (tx) =>
        (part = tx.transaction(() => {
          outer.abort(new Error('changed it all'));
          return forever();
        })),
      { signal: outer.signal },
    );
    expect(await failureOf(whole)).toMatchObject({ message: 'changed it all' });
    expect(await failureOf(part!)).toBeInstanceOf(TransactionClosedError);
  });

  test('comes too late for a transaction that has ended', async () => {
    const controller = new AbortController();
    await bench.transaction(() => 1, { signal: controller.signal });
    await bench.transaction(() => bench.transaction(() => 1, { signal: controller.signal }));
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    expect(bench.manager.stats()).toMatchObject({ committed: 2, rolledBack: 0 });
  });
});

test('the signal of a transaction is aborted with what ended it, and not by an ordinary end', async () => {
  const signals: AbortSignal[] = [];
  let reader: { readonly signal: AbortSignal } | undefined;
  await bench.transaction((tx) => void signals.push(tx.signal));
  const failed = failureOf(
    bench.transaction(
      async (tx) => {
        reader = tx;
        await tx.transaction((inner) => {
          signals.push(tx.signal, inner.signal);
          return forever();
        });
      },
      { timeoutMs: 500 },
    ),
  );
  await bench.clock.advanceAsync(500);
  await failed;
  expect(signals.map((signal) => signal.aborted)).toEqual([false, true, true]);
  expect(signals[1]!.reason).toBeInstanceOf(TimeoutError);
  expect(reader!.signal.aborted).toBe(true);
});

test('a signal asked for after the end is aborted too', async () => {
  const late: { readonly signal: AbortSignal }[] = [];
  const failed = failureOf(
    bench.transaction(
      (tx) => {
        late.push(tx);
        return tx.transaction((inner) => {
          late.push(inner);
          return forever();
        });
      },
      { timeoutMs: 500 },
    ),
  );
  await bench.clock.advanceAsync(500);
  await failed;
  for (const { signal } of late) expect(signal.reason).toBeInstanceOf(TimeoutError);
});
