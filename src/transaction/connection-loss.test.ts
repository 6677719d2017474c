import { expect, test } from 'vitest';
import { FakeConnection } from '../../test/fixtures/fake-driver.ts';
import { settled } from '../../test/fixtures/transaction-bench.ts';
import { onConnectionLoss } from './connection-loss.ts';

test('a loss is reported to the current listener, and to nobody after it stopped', async () => {
  const seen: string[] = [];
  const connections = [1, 2].map((id) => new FakeConnection(id, new Map()));
  for (const connection of connections) onConnectionLoss(connection, () => seen.push('first'))();
  onConnectionLoss(connections[0]!, (error) => seen.push(error.message));
  for (const connection of connections) connection.lose(new Error(`lost ${connection.id}`));
  await settled();
  expect(seen).toEqual(['lost 1']);
});

test('a listener that stops late does not silence the next one', async () => {
  const seen: string[] = [];
  const connection = new FakeConnection(1, new Map());
  const stopFirst = onConnectionLoss(connection, () => seen.push('first'));
  // Its BEGIN is sent behind the COMMIT of the first, whose answer comes later.
  onConnectionLoss(connection, () => seen.push('second'));
  stopFirst();
  connection.lose(new Error('worker died'));
  await settled();
  expect(seen).toEqual(['second']);
});
