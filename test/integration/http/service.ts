import type { Hono } from 'hono';
import { onTestFinished } from 'vitest';
import {
  createServer,
  startServer,
  type CreateServerOptions,
  type RunningServer,
} from '../../../src/hono/index.ts';
import type { StartServerOptions } from '../../../src/hono/index.ts';

export interface Service extends RunningServer {
  /** What was written to the log. */
  readonly lines: {
    readonly level: string;
    readonly fields: Record<string, unknown>;
    readonly message: string;
  }[];
}

/** A server on a port of its own, with nothing from the environment; gone when the test is over. */
export async function serve(
  routes: (app: Hono) => void,
  options: CreateServerOptions = {},
  listening: StartServerOptions = {},
): Promise<Service> {
  const lines: Service['lines'] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields: { ...fields }, message });
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const app = createServer({ environment: {}, log, ...options });
  routes(app);
  const shutdown = { signals: false, stepTimeoutMs: 500 };
  const server = await startServer(app, { port: 0, environment: {}, shutdown, ...listening });
  onTestFinished(() => server.close());
  return { ...server, lines };
}
