import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type Pg from 'pg';
import { UsageError } from '../errors/index.ts';
import { sendCancelRequest } from './cancel-request.ts';
import { connectFailure } from './connect-failure.ts';
import type { OpenedSocket } from './link.ts';
import { ReadingSocket } from './reading-socket.ts';
import type { PostgresSettings } from './settings.ts';
import { chooseTls } from './tls-options.ts';

/** A cancel request that has not reached the server within this time is given up. */
const CANCEL_TIMEOUT_MS = 2_000;
/** After this much silence TCP asks whether the peer is still there. */
const KEEP_ALIVE_DELAY_MS = 10_000;

/** The parts of pg's client that are no part of its types. */
interface ClientInside {
  readonly processID: number | null;
  readonly secretKey: number | null;
  readonly connection: {
    readonly stream: Duplex;
    on(name: 'parameterStatus', listener: (message: ParameterStatus) => void): void;
  };
}

interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}

/**
 * Connects and authenticates with `pg`, sends `setup`, and hands over the open socket: from then on
 * `PostgresLink` speaks on it, in the order and in the pieces that the engine needs.
 *
 * @throws ConnectionError that says which stage failed, without the password; the signal's reason
 */
export async function openSocket(
  settings: PostgresSettings,
  setup: SetupOf,
  signal: AbortSignal,
): Promise<OpenedSocket> {
  const { tls, isOptional } = await chooseTls(settings);
  try {
    return await connect(settings, { tls, setup, signal });
  } catch (error) {
    if (isOptional && isWithoutTls(error)) return connect(settings, { tls: undefined, setup, signal });
    throw error;
  }
}

/** What is sent first, given the parameters that the server has reported; empty: nothing. */
type SetupOf = (parameters: ReadonlyMap<string, string>) => string;

interface Attempt {
  readonly tls: ConnectionOptions | undefined;
  readonly setup: SetupOf;
  readonly signal: AbortSignal;
}

async function connect(settings: PostgresSettings, { tls, setup, signal }: Attempt): Promise<OpenedSocket> {
  signal.throwIfAborted();
  const reading = new ReadingSocket();
  const client = await createClient(settings, { tls, stream: reading.socket });
  const inside = client as unknown as ClientInside;
  const parameters = new Map<string, string>();
  inside.connection.on('parameterStatus', ({ parameterName, parameterValue }) =>
    parameters.set(parameterName, parameterValue),
  );
  // Without a listener an error of the socket would end the process. It is heard of by the socket's close.
  client.on('error', () => undefined);
  const onAbort = () => inside.connection.stream.destroy(new Error('given up'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await client.connect();
    const text = setup(parameters);
    if (text !== '') await client.query(text);
  } catch (error) {
    inside.connection.stream.destroy();
    signal.throwIfAborted();
    throw connectFailure(settings, error);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  return takeOver(inside, { settings, tls, parameters, reading });
}

/** From here on nothing that arrives is read by pg. */
function takeOver(
  { connection: { stream }, processID, secretKey }: ClientInside,
  {
    settings,
    tls,
    parameters,
    reading,
  }: {
    readonly settings: PostgresSettings;
    readonly tls: ConnectionOptions | undefined;
    readonly parameters: OpenedSocket['parameters'];
    readonly reading: ReadingSocket;
  },
): OpenedSocket {
  stream.removeAllListeners('data');
  const { host, port } = settings;
  const processId = processID ?? 0;
  const target = { host, port, tls, processId, secretKey: secretKey ?? 0 };
  return {
    stream,
    processId,
    parameters,
    listen: (sink) => reading.listen(stream, sink),
    cancel: () => sendCancelRequest(target, CANCEL_TIMEOUT_MS),
  };
}

async function createClient(
  settings: PostgresSettings,
  { tls, stream }: { readonly tls: ConnectionOptions | undefined; readonly stream: Duplex },
): Promise<Pg.Client> {
  const pg = await loadPg();
  const { host, port, user, database, parameters } = settings;
  const { application_name: applicationName, options } = parameters;
  return new pg.Client({
    host,
    port,
    user,
    database,
    password: settings.password(),
    stream: () => stream,
    ssl: tls ?? false,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    application_name: applicationName ?? 'millpond',
    ...(options === undefined ? {} : { options }),
  });
}

let loaded: Promise<typeof Pg> | undefined;

/** An optional peer: only those who open a PostgreSQL database need it. */
async function loadPg(): Promise<typeof Pg> {
  loaded ??= import('pg').catch((cause: unknown) => {
    loaded = undefined;
    throw new UsageError('A postgres:// database needs the package "pg": npm install pg', { cause });
  });
  const module = await loaded;
  // A CommonJS module: older versions have their exports under `default` alone.
  return 'Client' in module ? module : (module as { default: typeof Pg }).default;
}

function isWithoutTls(error: unknown): boolean {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error && cause.message === 'The server does not support SSL connections';
}
