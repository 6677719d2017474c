import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeOnSignals, openDatabase } from '../../../../src/index.ts';

/*
 * A service that ends in order. argv: the address of the database, and options of `closeOnSignals` as JSON.
 * Prints its port, and later the order in which things were closed.
 */

const [url, options = '{}', ...flags] = process.argv.slice(2);
const db = await openDatabase({ url: url!, log: 'silent' });
await db.script('create table if not exists row (id integer primary key, note text)');
const say = (line: object): void => console.log(JSON.stringify(line));

const ROUTES: Record<string, (request: IncomingMessage, response: ServerResponse) => unknown> = {
  '/write': async (request, response) => {
    const id = Number(new URL(request.url!, 'http://localhost').searchParams.get('id'));
    await db.transaction(async (tx) => {
      await tx.run('insert into row values (:id, null)', { id });
      await sleep(id % 7);
      await tx.run("update row set note = 'whole' where id = :id", { id });
    });
    // One of its own, committed together with those of others.
    await db.run("insert into row values (:id, 'whole')", { id: -id });
    response.writeHead(201).end();
  },
  '/slow': async (_request, response) => {
    await sleep(300);
    response.end('done');
  },
  // Answers when it is told to.
  '/told': async (request, response) => {
    const told = once(process, 'SIGUSR2');
    say({ asked: request.url });
    await told;
    response.end('done');
  },
  '/endless': async (_request, response) => {
    for (;;) {
      response.write('data: tick\n\n');
      await sleep(20);
    }
  },
  '/held': () => db.transaction(() => sleep(60_000)),
  '/leak': async (_request, response) => {
    await db.acquire();
    response.end();
  },
  '/throw': () =>
    setTimeout(() => {
      throw new Error('uncaught');
    }, 1),
  '/reject': () => void Promise.reject(new Error('unhandled')),
};

const server = createServer((request, response) => {
  const route = ROUTES[new URL(request.url!, 'http://localhost').pathname]!;
  void Promise.resolve(route(request, response)).catch((error: Error & { code?: string }) => {
    if (!response.headersSent) response.writeHead(503).end(error.code);
  });
});

const cache = {
  close: () => {
    say({ closed: 'cache', listening: server.listening, answers: db.stats().name });
    if (flags.includes('hang')) return new Promise(() => {});
    if (flags.includes('fail')) throw new Error('the cache does not close');
    return undefined;
  },
};
const shutdown = closeOnSignals([server, cache], { log: 'silent', ...(JSON.parse(options) as object) });
shutdown.signal.addEventListener('abort', () => say({ begins: String(shutdown.signal.reason) }));
process.on('exit', (code) => {
  const left = process.getActiveResourcesInfo().filter((kind) => kind === 'Worker' || kind === 'MessagePort');
  say({ exit: code, left });
});
server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));
