import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../servers/postgres.ts';
import { startRedis } from '../servers/redis.ts';

interface SharedServer {
  readonly url: string;
  stop(): Promise<void>;
}

const STARTERS: Readonly<Record<string, () => Promise<SharedServer>>> = {
  '/postgres': () => startPostgres({ settings: { max_connections: 400 } }),
  '/redis': () => startRedis(),
};

/**
 * One server of each kind for all test files of a run, started when the first file asks for it (`test/servers/shared.ts`)
 * and stopped after the last one: a run that needs none starts none.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<string, Promise<SharedServer>>();
  const broker = createServer((request, response) => void answer(request, response, started));
  broker.listen(0, '127.0.0.1');
  await once(broker, 'listening');
  project.provide('sharedServers', `http://127.0.0.1:${(broker.address() as AddressInfo).port}`);
  return async () => {
    broker.close();
    broker.closeAllConnections();
    for (const server of await Promise.allSettled(started.values())) {
      if (server.status === 'fulfilled') await server.value.stop();
    }
  };
}

async function answer(
  { url = '' }: IncomingMessage,
  response: ServerResponse,
  started: Map<string, Promise<SharedServer>>,
): Promise<void> {
  try {
    const start = STARTERS[url];
    if (!start) throw new Error(`there is no shared server ${url}`);
    const server = started.get(url) ?? start();
    started.set(url, server);
    response.end((await server).url);
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}
