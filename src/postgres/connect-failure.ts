import { ConnectionError, MillpondError } from '../errors/index.ts';
import type { PostgresSettings } from './settings.ts';

interface DriverFailure {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly errors?: readonly DriverFailure[];
}

/** What the server, the network and the file system call it, and which stage that is. */
const STAGES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name is not known (host)',
  EAI_AGAIN: 'the host name could not be looked up (host)',
  ECONNREFUSED: 'nothing listens there (host, port)',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'the host cannot be reached (host)',
  ENETUNREACH: 'the network cannot be reached (host)',
  ETIMEDOUT: 'the host does not answer (host, port)',
  ENOENT: 'there is no such file (the socket folder in host, or a certificate)',
  EACCES: 'a file cannot be read (the socket folder in host, or a certificate)',
  '28P01': 'authentication failed (user, password)',
  '28000': 'the server does not let this user in (user, sslmode, pg_hba.conf)',
  '3D000': 'there is no such database (database)',
  '53300': 'the server has too many connections already (pool.max, max_connections)',
  '57P03': 'the server is starting or stopping',
};

const PASSING: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  '53300',
  '57P03',
]);

/** The public error of a connection that could not be opened: where to, and which setting is to blame. */
export function connectFailure(settings: PostgresSettings, error: unknown): MillpondError {
  if (error instanceof MillpondError) return error;
  const { code, message } = first(error as DriverFailure);
  const name = typeof code === 'string' ? code : '';
  const said = typeof message === 'string' ? message : 'the driver gave no reason';
  const stage = STAGES[name] ?? said;
  return new ConnectionError(
    `${placeOf(settings)} cannot be connected to: ${withoutSecret(stage, settings)}.`,
    {
      cause: toCause(name, withoutSecret(said, settings)),
      retryable: PASSING.has(name),
    },
  );
}

/** A host with several addresses fails with the failures of all of them. */
function first(failure: DriverFailure): DriverFailure {
  return failure.errors?.[0] ?? failure;
}

function placeOf({ host, port, database, user }: PostgresSettings): string {
  return `Database "${database}" on ${host}:${port} as user "${user}"`;
}

function withoutSecret(text: string, settings: PostgresSettings): string {
  const secret = settings.password();
  return secret === undefined || secret === '' ? text : text.replaceAll(secret, '***');
}

/** Of the driver's error only what is known to hold no secret: it also refers to the whole client. */
function toCause(code: string, message: string): Error {
  return Object.assign(new Error(message), code === '' ? {} : { code });
}
