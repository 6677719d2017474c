import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import type { AddressInfo } from 'node:net';
import { createServer, type CreateServerOptions } from '../../src/hono/index.ts';

/** One server of the comparison, in a process of its own: argv says which. */
export interface Usage {
  readonly requests: number;
  readonly cpuUs: number;
}

const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const BASE: CreateServerOptions = { environment: {}, log: quiet };
const APPS: Readonly<Record<string, () => Hono>> = {
  'bare Hono': () => new Hono(),
  'createServer()': () => createServer(BASE),
  'createServer() with everything': () =>
    createServer({
      ...BASE,
      hosts: ['127.0.0.1'],
      cors: { origins: ['https://app.example.com'] },
      rateLimit: { limit: 1_000_000, windowMs: 1_000 },
    }),
};

const app = APPS[process.argv[2]!]!();
let requests = 0;
app.get('/users/:id', (context) => {
  requests += 1;
  return context.json({ id: context.req.param('id'), name: 'Ada', roles: ['reader', 'writer'] });
});
const list = Array.from({ length: 100 }, (_, id) => ({ id, name: `user ${id}`, city: 'Lovelace' }));
app.get('/users', (context) => {
  requests += 1;
  return context.json(list);
});

const server = createAdaptorServer({ fetch: app.fetch });
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
let before = process.cpuUsage();
process.on('message', () => {
  const { user, system } = process.cpuUsage(before);
  const usage: Usage = { requests, cpuUs: user + system };
  process.send!(usage);
  [requests, before] = [0, process.cpuUsage()];
});
process.on('disconnect', () => process.exit());

function nothing(): void {
  // Writing lines is another program's work: the log's.
}
