import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { TransactionClosedError } from '../../../src/index.ts';
import { Metrics } from '../../../src/metrics/index.ts';
import { transactional } from '../../../src/hono/index.ts';
import { scratchForAll } from '../../fixtures/scratch-database.ts';
import { serve, type Service } from './service.ts';

const scratch = scratchForAll('create table notes (id integer primary key)');
const SAID = 'the client went away before it was answered';

/** Sends that, and goes away when the service has got to `reached`. */
async function leave(service: Service, request: string, reached: Promise<void>): Promise<void> {
  const socket = connect(service.port, '127.0.0.1');
  socket.write(request);
  await reached;
  socket.destroy();
  await once(socket, 'close');
}

/** Writes until the fence refuses it: the statement that is interrupted may say something else. */
async function untilClosed(): Promise<never> {
  for (;;) {
    try {
      await scratch.db.run('insert into notes default values');
    } catch (error) {
      if (error instanceof TransactionClosedError) throw error;
    }
  }
}

const failures = ({ lines }: Service) => lines.filter(({ level }) => level === 'error');
const departures = ({ lines }: Service) => lines.filter(({ message }) => message === SAID);

test.each([
  ['of a length', 'Content-Length: 10\r\n\r\nabc'],
  ['of no length', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
])('a client that leaves in the middle of a body %s is no failure of the service', async (_, body) => {
  const metrics = new Metrics();
  const arrived = Promise.withResolvers<void>();
  const service = await serve(
    (app) => {
      app.post('/text', async (c) => c.text(await c.req.text()));
    },
    { metrics },
  );
  service.server.on('request', () => setImmediate(arrived.resolve));
  await leave(service, `POST /text HTTP/1.1\r\nHost: x\r\n${body}`, arrived.promise);
  await expect.poll(() => departures(service).length).toBe(1);
  expect(failures(service)).toEqual([]);
  await expect.poll(() => metrics.snapshot().routes.map(({ errors }) => errors)).toEqual([0]);
  metrics.close();
});

test('a client that leaves in a transaction is logged once, and its handler does not fail of it', async () => {
  const begun = Promise.withResolvers<void>();
  const refused = Promise.withResolvers<void>();
  const service = await serve((app) => {
    app.post('/notes', transactional({ database: scratch.db }), async () => {
      begun.resolve();
      return await untilClosed().finally(refused.resolve);
    });
  });
  await leave(service, 'POST /notes HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n', begun.promise);
  await refused.promise;
  await expect.poll(() => service.lines.map(({ fields }) => fields['status'])).toContain(499);
  expect(failures(service)).toEqual([]);
  expect(departures(service)).toHaveLength(1);
  expect(await scratch.db.value('select count(*) from notes')).toBe(0);
});
