import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';

const LOOPBACK = '127.0.0.1';

export interface HttpServer {
  readonly port: number;
  readonly url: string;
  /** Stops accepting, lets running requests finish, closes idle connections. */
  close(): Promise<void>;
}

/** Listens on the loopback interface only. Port 0 takes any free one. */
export async function listen(app: Hono, port: number): Promise<HttpServer> {
  const server = createAdaptorServer({ fetch: app.fetch });
  server.listen(port, LOOPBACK);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    url: `http://${LOOPBACK}:${address.port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
