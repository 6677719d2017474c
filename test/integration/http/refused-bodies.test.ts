import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { transactional } from '../../../src/hono/index.ts';
import { scratchForAll } from '../../fixtures/scratch-database.ts';
import { serve, type Service } from './service.ts';

const LIMIT = 65_536;
const scratch = scratchForAll('create table notes (id integer primary key)');

/** One connection, whose next request comes when the last one has ended. */
function oneConnection(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return agent;
}

/** Without a length, so that only reading the body says how long it is. */
async function send(service: Service, agent: Agent, path: string, sizeBytes: number): Promise<Sent> {
  const outgoing = request({ agent, port: service.port, path, method: 'POST' });
  const chunk = Buffer.alloc(16_384, 'x');
  for (let left = sizeBytes; left > 0; left -= chunk.length) outgoing.write(chunk.subarray(0, left));
  outgoing.end();
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  return { status: incoming.statusCode, text: await text(incoming), reused: outgoing.reusedSocket };
}

interface Sent {
  readonly status: number | undefined;
  readonly text: string;
  readonly reused: boolean;
}

test.each(['/echo', '/written'])('a body too long for %s leaves its connection to the next', async (path) => {
  const service = await serve(
    (app) => {
      app.post('/echo', async (c) => c.text(String((await c.req.text()).length)));
      app.post('/written', transactional({ database: scratch.db, maxBodyBytes: LIMIT }), async (c) =>
        c.text(String((await c.req.text()).length)),
      );
    },
    { maxBodyBytes: path === '/echo' ? LIMIT : 64 * LIMIT },
  );
  const agent = oneConnection();
  for (let round = 0; round < 3; round += 1) {
    expect(await send(service, agent, path, 32 * LIMIT)).toMatchObject({ status: 413, reused: round > 0 });
    expect(await send(service, agent, path, LIMIT)).toEqual({ status: 200, text: '65536', reused: true });
  }
});
