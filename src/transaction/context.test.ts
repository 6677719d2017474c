import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { TransactionClosedError } from '../errors/index.ts';
import { failureOf, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';
import {
  contextWith,
  currentContext,
  currentTransaction,
  isInWritingTransaction,
  runInContext,
  withoutTransaction,
  type ContextNode,
} from './context.ts';

describe('the running transaction', () => {
  test('is one for each database (J7)', async () => {
    const [first, second] = [new TransactionBench({}, 'main'), new TransactionBench({}, 'analytics')];
    const failed = first.transaction(async () => {
      await second.transaction(async () => {
        await first.run('set a 1');
        await second.run('set b 2');
      });
      await second.run('set c 3');
      throw new Error('only the first');
    });
    await failureOf(failed);
    expect(first.committed).toEqual({});
    expect(second.committed).toEqual({ b: '2' });
    expect(second.autocommitted).toEqual(['set c 3']);
  });

  test('follows timers, emitters and promises of its flow, and no other (C29)', async () => {
    const bench = new TransactionBench({ exclusiveWriter: false, connections: 8 });
    const emitter = new EventEmitter();
    const request = async (tag: number): Promise<void> => {
      await bench.transaction(async (tx) => {
        const ids: (number | undefined)[] = [];
        const note = (): void => void ids.push(bench.manager.current()?.id);
        await new Promise<void>((resolve) => setTimeout(() => resolve(note()), 1));
        await Promise.all([settled().then(note), (async () => note())()]);
        emitter.once(`event ${tag}`, note);
        emitter.emit(`event ${tag}`);
        for await (const chunk of tx.stream('get a')) ids.push(chunk === undefined ? undefined : tx.id);
        note();
        expect(new Set(ids)).toEqual(new Set([tx.id]));
      });
    };
    await Promise.all(Array.from({ length: 200 }, (_, tag) => request(tag)));
    expect(bench.faults()).toEqual([]);
    expect(bench.manager.stats().committed).toBe(200);
  });

  test('is one that may write, of whichever database, unless all are read-only or were left', async () => {
    const options = { exclusiveWriter: false, connections: 4 };
    const [first, second] = [
      new TransactionBench(options, 'main'),
      new TransactionBench(options, 'analytics'),
    ];
    const seen: boolean[] = [isInWritingTransaction()];
    await first.transaction(
      async () => {
        seen.push(isInWritingTransaction());
        await second.transaction(async () => {
          seen.push(isInWritingTransaction(), withoutTransaction(isInWritingTransaction));
          await first.transaction(async () => seen.push(isInWritingTransaction()), { readOnly: true });
        });
      },
      { readOnly: true },
    );
    expect(seen).toEqual([false, false, true, false, true]);
  });

  test('is left on purpose by withoutTransaction, for every database', async () => {
    const options = { exclusiveWriter: false };
    const [first, second] = [
      new TransactionBench(options, 'main'),
      new TransactionBench(options, 'analytics'),
    ];
    await first.transaction(() =>
      second.transaction(async () => {
        const value = await withoutTransaction(async () => {
          await first.run('set a 1');
          await second.run('set b 2');
          return 7;
        });
        expect(value).toBe(7);
        await first.run('set c 3');
      }),
    );
    expect(first.autocommitted).toEqual(['set a 1']);
    expect(second.autocommitted).toEqual(['set b 2']);
    expect(first.committed).toEqual({ c: '3' });
  });

  test('refuses work that outlived it, and withoutTransaction frees it', async () => {
    const bench = new TransactionBench();
    let late: Promise<unknown> | undefined;
    let freed: Promise<unknown> | undefined;
    await bench.transaction(() => {
      late = settled().then(() => bench.run('set a 1'));
      freed = withoutTransaction(() => settled().then(() => bench.run('set b 2')));
      late.catch(() => {});
    });
    expect(await failureOf(late!)).toBeInstanceOf(TransactionClosedError);
    await freed;
    expect(bench.autocommitted).toEqual(['set b 2']);
    expect(bench.committed).toEqual({});
  });
});

describe('the chain of contexts', () => {
  test('does not grow where one ended transaction follows on another', async () => {
    const bench = new TransactionBench();
    let context: ContextNode | undefined;
    for (let i = 0; i < 100; i++) {
      await runInContext(context, () =>
        bench.transaction(() => void (context = currentContext()), { propagation: 'requires-new' }),
      );
    }
    expect(lengthOf(context)).toBe(1);
  });

  test('does not grow by stepping out again and again', () => {
    const key = {};
    let context: ContextNode | undefined = { databaseKey: key, view: undefined, parent: undefined };
    for (let i = 0; i < 100; i++) {
      context = runInContext(context, () => withoutTransaction(() => contextWith(key, undefined)));
    }
    expect(lengthOf(context)).toBe(1);
  });

  test('keeps what is held when it is stepped out of', async () => {
    const bench = new TransactionBench();
    await bench.transaction(() =>
      withoutTransaction(() => {
        expect(currentTransaction(bench)).toBeUndefined();
        expect(lengthOf(currentContext())).toBe(2);
      }),
    );
  });
});

function lengthOf(context: ContextNode | undefined): number {
  let length = 0;
  for (let node = context; node !== undefined; node = node.parent) length++;
  return length;
}
