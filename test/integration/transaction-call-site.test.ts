import { expect, test } from 'vitest';
import { failureOf, TransactionBench } from '../fixtures/transaction-bench.ts';

async function forgetToAwait(bench: TransactionBench, text: string): Promise<void> {
  await bench.transaction(async function checkOut(tx) {
    bench.connection.holdNext(text);
    void tx.run(text);
  });
}

test('an un-awaited query is named by the line that made it', async () => {
  const bench = new TransactionBench();
  const error: Error = await failureOf(forgetToAwait(bench, 'set a 1'));
  expect(error.message).toMatch(/set a 1 called at .*transaction-call-site\.test\.ts:7:/);
});

test('a query that was seen often is named by a line that made it, and exactly from then on', async () => {
  const bench = new TransactionBench();
  for (let i = 0; i < 3; i++) await bench.transaction((tx) => tx.run('set a 1'));
  const first: Error = await failureOf(forgetToAwait(bench, 'set a 1'));
  expect(first.message).toMatch(/set a 1 of a text that was called at .*transaction-call-site\.test\.ts:/);
  const second: Error = await failureOf(forgetToAwait(bench, 'set a 1'));
  expect(second.message).toMatch(/set a 1 called at .*transaction-call-site\.test\.ts:7:/);
});

test('a late call says where its transaction was begun, and its stack where it was made', async () => {
  const bench = new TransactionBench();
  let run = (): Promise<unknown> => Promise.resolve();
  await bench.transaction((tx) => {
    run = function lateCall() {
      return tx.run('set a 1');
    };
  });
  const error: Error = await failureOf(run());
  expect(error.message).toMatch(/It was begun at .*transaction-call-site\.test\.ts:29:/);
  expect(error.stack).toMatch(/at .*lateCall \(.*transaction-call-site\.test\.ts/);
});
