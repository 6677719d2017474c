import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { DescribeExchange } from './describe-exchange.ts';
import type { Loss } from './exchange.ts';
import { PostgresLink } from './link.ts';
import { PreparedStatements } from './statement-store.ts';

test('a connection is lost as soon as the server has ended its side of it', async () => {
  const stream = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const link = new PostgresLink(
    1,
    {
      stream,
      listen: (sink) => void stream.on('data', (chunk: Buffer) => sink(chunk, chunk.length)),
      processId: 1,
      parameters: new Map(),
      cancel: async () => undefined,
    },
    new PreparedStatements(10, { current: 0 }),
  );
  stream.push(null);
  await new Promise((resolve) => setImmediate(resolve));
  expect(link.usable).toBe(false);
  expect((await link.lost).message).toBe('the server closed the connection');
  const losses: Loss[] = [];
  const lost = (loss: Loss): void => void losses.push(loss);
  link.send(new DescribeExchange({ text: 'select 1', answered: () => undefined, lost }));
  expect(losses).toMatchObject([{ sent: false }]);
});
