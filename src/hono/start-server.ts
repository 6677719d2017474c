import type { AddressInfo } from 'node:net';
import { createServer as createHttpServer, type Server } from 'node:http';
import type * as NodeServer from '@hono/node-server';
import type { Hono } from 'hono';
import { closeOnSignals, type Closeable, type CloseOnSignalsOptions } from '../database/index.ts';
import { ConfigError, UsageError } from '../errors/index.ts';
import { anything, checkOptions, integer, list, problem, text } from './option-checks.ts';
import type { Environment } from './read-environment.ts';
import { readServerEnvironment, type ServerEnvironment } from './server-environment.ts';
import { serverState } from './server-state.ts';

export interface StartServerOptions {
  /** 0 takes one that is free. @default PORT, then 3_000 */
  readonly port?: number | undefined;
  /** The address to listen on. @default HOST, then 127.0.0.1: this machine alone */
  readonly host?: string | undefined;
  /** Closed after the server and before the databases, in this order. @default none */
  readonly closeables?: readonly Closeable[] | undefined;
  /** Of `closeOnSignals`. False: signals are the application's. @default SHUTDOWN_TIMEOUT, SHUTDOWN_DELAY */
  readonly shutdown?: Omit<CloseOnSignalsOptions, 'log'> | false | undefined;
  /** Longest a request may take to arrive as a whole, in milliseconds. @default 30_000 */
  readonly requestTimeoutMs?: number | undefined;
  /** Longest its head may take, in milliseconds; not above the other. @default 10_000, or requestTimeoutMs */
  readonly headersTimeoutMs?: number | undefined;
  /** How long a connection may wait for its next request, in milliseconds. @default 5_000 */
  readonly keepAliveTimeoutMs?: number | undefined;
  /** Longest head of a request, in bytes. @default 16_384 */
  readonly maxHeaderBytes?: number | undefined;
  /** Connections at once; more are refused. @default 10_000 */
  readonly maxConnections?: number | undefined;
  /** @default process.env */
  readonly environment?: Environment | undefined;
}

/** A server that listens. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** Shuts down as a signal would, and leaves the process running. */
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const CHECKS = {
  port: integer(0, 65_535),
  host: text(255),
  closeables: list(anything),
  shutdown: anything,
  requestTimeoutMs: integer(1, HOUR_MS),
  headersTimeoutMs: integer(1, HOUR_MS),
  keepAliveTimeoutMs: integer(1, HOUR_MS),
  maxHeaderBytes: integer(1_024, 1_048_576),
  maxConnections: integer(1, 1_000_000),
  environment: anything,
};
/** How often connections that are too slow are looked for. */
const LOOK_MS = 1_000;

/**
 * Listens, and ends in order on a signal: readiness turns red, requests are finished, databases closed.
 * Resolves when the server accepts requests.
 *
 * @throws ConfigError for wrong options and a wrong environment, UsageError where `@hono/node-server` is
 * missing, the system's error where the port is taken
 */
export async function startServer(app: Hono, given: StartServerOptions = {}): Promise<RunningServer> {
  const options = checkOptions('startServer', given, CHECKS);
  const said = readServerEnvironment(options.environment);
  const state = serverState(app);
  const server = await createNodeServer(app, options);
  const port = options.port ?? said.port ?? 3_000;
  const host = options.host ?? said.host ?? '127.0.0.1';
  const shutdown = closeOnSignals([server, ...(options.closeables ?? []), ...(state?.databases ?? [])], {
    ...shutdownOptions(options, said),
    log: state?.log,
  });
  shutdown.signal.addEventListener('abort', () => state?.stopping.abort());
  try {
    await listen(server, port, host);
  } catch (error) {
    shutdown.off();
    throw error;
  }
  const bound = (server.address() as AddressInfo).port;
  const close = async (): Promise<void> => void (await shutdown.close());
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  return { url, port: bound, server, close, [Symbol.asyncDispose]: close };
}

function shutdownOptions({ shutdown }: StartServerOptions, said: ServerEnvironment): CloseOnSignalsOptions {
  return {
    timeoutMs: said.shutdownTimeoutMs,
    delayMs: said.shutdownDelayMs,
    ...(shutdown === false ? { signals: false } : shutdown),
  };
}

async function createNodeServer(app: Hono, options: StartServerOptions): Promise<Server> {
  const { createAdaptorServer } = await loadAdapter();
  const server = createAdaptorServer({
    fetch: app.fetch,
    createServer: createHttpServer,
    serverOptions: {
      ...arrivalLimits(options),
      keepAliveTimeout: options.keepAliveTimeoutMs ?? 5_000,
      maxHeaderSize: options.maxHeaderBytes ?? 16_384,
      connectionsCheckingInterval: LOOK_MS,
    },
  }) as Server;
  server.maxConnections = options.maxConnections ?? 10_000;
  return server;
}

/** Node refuses a longer limit for the head than for the whole. */
function arrivalLimits(options: StartServerOptions): { requestTimeout: number; headersTimeout: number } {
  const { requestTimeoutMs: requestTimeout = 30_000 } = options;
  const { headersTimeoutMs: headersTimeout = Math.min(10_000, requestTimeout) } = options;
  if (headersTimeout <= requestTimeout) return { requestTimeout, headersTimeout };
  const message = `must not be above requestTimeoutMs, which is ${requestTimeout}`;
  throw new ConfigError([problem('startServer.headersTimeoutMs', message)]);
}

async function loadAdapter(): Promise<typeof NodeServer> {
  try {
    return await import('@hono/node-server');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    const message = 'startServer needs the package @hono/node-server: npm install @hono/node-server';
    throw new UsageError(message, { cause });
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
