import { describe, expect, test } from 'vitest';
import { SelfDeadlockError } from '../errors/index.ts';
import { failureOf, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';
import { withoutTransaction } from './context.ts';

describe('with one writer', () => {
  test('a write stepped out of a write transaction is an error at once, with both stacks', async () => {
    const bench = new TransactionBench();
    await bench.transaction(
      async function saveOrder() {
        const error: Error = await failureOf(withoutTransaction(() => bench.run('set a 1')));
        expect(error).toBeInstanceOf(SelfDeadlockError);
        expect(error.message).toMatch(/Transaction #1 "order" of the same flow holds it/);
        expect(error.message).toMatch(/Held since this call:\n {4}at /);
        expect(error.stack).toMatch(/Asked for by this call:\n {4}at /);
      },
      { name: 'order' },
    );
    expect(bench.autocommitted).toEqual([]);
  });

  test('a transaction from begin() inside a write transaction is an error at once', async () => {
    const bench = new TransactionBench();
    await bench.transaction(async () => {
      expect(await failureOf(bench.manager.begin({ name: 'inner' }))).toBeInstanceOf(SelfDeadlockError);
    });
    expect(bench.faults()).toEqual([]);
  });

  test('to read beside a write transaction is no deadlock, nor to write beside a read one', async () => {
    const bench = new TransactionBench();
    const other = { propagation: 'requires-new', readOnly: true } as const;
    await bench.transaction(() => bench.transaction(() => bench.value('get a'), other));
    await bench.transaction(
      () => bench.transaction(() => bench.run('set a 1'), { propagation: 'requires-new' }),
      {
        readOnly: true,
      },
    );
    expect(bench.committed).toEqual({ a: '1' });
  });

  test('a transaction of another database does not matter', async () => {
    const [first, second] = [new TransactionBench({}, 'main'), new TransactionBench({}, 'analytics')];
    await first.transaction(() => second.transaction(() => withoutTransaction(() => 1)));
    await first.transaction(() => second.manager.begin().then((tx) => tx.commit()));
    expect(second.manager.stats()).toMatchObject({ committed: 2 });
  });

  test('the flow of an ended transaction may write again', async () => {
    const bench = new TransactionBench();
    let late: Promise<unknown> | undefined;
    await bench.transaction(() => {
      late = settled().then(() => withoutTransaction(() => bench.run('set a 1')));
    });
    await late;
    expect(bench.autocommitted).toEqual(['set a 1']);
  });
});

describe('with several connections', () => {
  const newOne = { propagation: 'requires-new' } as const;

  test('a second one for the same flow is an error at once when none is left (C33)', async () => {
    const bench = new TransactionBench({ exclusiveWriter: false, connections: 4 });
    const gate = Promise.withResolvers<void>();
    const flow = async (): Promise<unknown> =>
      bench.transaction(async () => {
        await gate.promise;
        return bench.transaction(() => 1, newOne);
      });
    const flows = Array.from({ length: 4 }, flow);
    await settled();
    gate.resolve();
    const ends = await Promise.allSettled(flows);
    expect(ends.some((end) => end.status === 'rejected' && end.reason instanceof SelfDeadlockError)).toBe(
      true,
    );
    expect(bench.faults()).toEqual([]);
  });

  test('a second one is given where there is room', async () => {
    const bench = new TransactionBench({ exclusiveWriter: false, connections: 2 });
    expect(await bench.transaction(() => bench.transaction(() => 1, newOne))).toBe(1);
  });

  test('one that holds nothing waits its turn', async () => {
    const bench = new TransactionBench({ exclusiveWriter: false, connections: 1 });
    const order: number[] = [];
    await Promise.all([1, 2, 3].map((n) => bench.transaction(() => void order.push(n))));
    expect(order).toEqual([1, 2, 3]);
  });

  test('a lease beside a transaction is asked the same way', async () => {
    const bench = new TransactionBench({ exclusiveWriter: false, connections: 1 });
    bench.manager.assertMayAcquire(false, 'A lease');
    await bench.transaction(() => {
      expect(() => bench.manager.assertMayAcquire(false, 'A lease')).toThrow(SelfDeadlockError);
      expect(() => bench.manager.assertMayAcquire(false, 'A lease')).toThrow(
        /^A lease needs another connection/,
      );
    });
  });

  test('readers of an engine with one writer are counted apart from it', async () => {
    const bench = new TransactionBench({ readers: 1 });
    const reading = { ...newOne, readOnly: true };
    const failed = bench.transaction(() => bench.transaction(() => 1, reading), { readOnly: true });
    expect(await failureOf(failed)).toBeInstanceOf(SelfDeadlockError);
    await bench.transaction(() => bench.transaction(() => 1, reading));
  });
});
