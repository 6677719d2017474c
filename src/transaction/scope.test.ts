import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OutcomeUnknownError, TransactionClosedError } from '../errors/index.ts';
import { failureOf, settled, TransactionBench } from '../../test/fixtures/transaction-bench.ts';
import type { Transaction } from './transaction.ts';

let bench: TransactionBench;
beforeEach(() => {
  bench = new TransactionBench();
});
afterEach(() => {
  expect(bench.faults()).toEqual([]);
});

describe('the fence (B8, C28)', () => {
  const uses: [string, (tx: Transaction) => unknown][] = [
    ['all', (tx) => tx.all('get a')],
    ['get', (tx) => tx.get('get a')],
    ['value', (tx) => tx.value('get a')],
    ['run', (tx) => tx.run('set late 1')],
    ['json', (tx) => tx.json('get a')],
    ['batch', (tx) => tx.batch(['set late 1'])],
    ['script', (tx) => tx.script('set late 1')],
    ['stream', (tx) => tx.stream('get a').next()],
    ['flush', (tx) => tx.flush()],
    ['transaction', (tx) => tx.transaction(() => 1)],
    ['begin', (tx) => tx.begin()],
    ['onCommit', async (tx) => tx.onCommit(() => {})],
    ['onRollback', async (tx) => tx.onRollback(() => {})],
    ['commitAndContinue', (tx) => tx.commitAndContinue()],
    ['commit', (tx) => tx.commit()],
  ];
  const ends: [string, (tx: Transaction) => Promise<unknown>][] = [
    ['commit', (tx) => tx.commit()],
    ['rollback', (tx) => tx.rollback()],
    ['timeout', () => bench.clock.advanceAsync(30_000)],
    ['shutdown', () => bench.manager.closeAll(new Error('closing'))],
    ['lost connection', async () => bench.connection.lose(new Error('gone'))],
    [
      'unknown outcome',
      (tx) => {
        bench.connection.failNext('commit', new OutcomeUnknownError('lost'));
        return tx.commit().catch(() => {});
      },
    ],
  ];

  describe.each(ends)('after %s', (_, end) => {
    test.each(uses)('%s() is refused, and nothing is sent', async (_use, use) => {
      const tx = await bench.manager.begin();
      const { connection } = bench;
      await end(tx);
      await settled();
      const sent = connection.log.length;
      const error: Error = await failureOf(use(tx) as Promise<unknown>);
      expect(error).toBeInstanceOf(TransactionClosedError);
      expect(error.message).toMatch(
        /^Transaction #1 .* \d+ ms ago, so this call was not sent\. It was begun at /,
      );
      expect(connection.log).toHaveLength(sent);
      expect(bench.committed).toEqual({});
    });
  });

  test('falls for the next transaction on the same connection as well (C38)', async () => {
    const first = await bench.manager.begin();
    await first.rollback();
    await bench.transaction(async (second) => {
      expect(await failureOf(first.run('set a 1'))).toBeInstanceOf(TransactionClosedError);
      await second.run('set b 2');
    });
    expect(bench.committed).toEqual({ b: '2' });
  });

  test('closes a stream that is still open, and ends its loop with an error', async () => {
    const stream = Promise.withResolvers<AsyncIterableIterator<unknown>>();
    const failed = failureOf(
      bench.transaction(async (tx) => {
        const rows = tx.stream('rows');
        await rows.next();
        stream.resolve(rows);
        throw new Error('mine');
      }),
    );
    const rows = await stream.promise;
    await failed;
    expect(bench.connection.openCursors).toBe(0);
    expect(await failureOf(rows.next())).toBeInstanceOf(TransactionClosedError);
  });

  test('counts an open stream as un-awaited', async () => {
    const failed = bench.transaction(async (tx) => {
      await tx.stream('rows').next();
    });
    const error: Error = await failureOf(failed);
    expect(error).toMatchObject({ code: 'ERR_MILLPOND_UNAWAITED_QUERY' });
    expect(error.message).toMatch(/: rows called at /);
    expect(bench.connection.openCursors).toBe(0);
  });

  test('lets a stream be left early', async () => {
    await bench.transaction(async (tx) => {
      for await (const row of tx.stream('rows')) if (row !== undefined) break;
    });
    expect(bench.connection.openCursors).toBe(0);
  });

  test('ends a stream whose answer comes after it fell', async () => {
    bench.connection.cancelPending = () => {};
    const release = bench.connection.holdNext('rows 1');
    let row: Promise<unknown> | undefined;
    const failed = failureOf(
      bench.transaction(async (tx) => {
        row = failureOf(tx.stream('rows').next());
        await settled();
        throw new Error('mine');
      }),
    );
    await settled();
    await settled();
    release();
    expect(await failed).toMatchObject({ message: 'mine' });
    expect(await row).toBeInstanceOf(TransactionClosedError);
  });
});
