import { ConnectionError, MillpondError } from '../errors/index.ts';
import type { PostgresSettings } from './settings.ts';

interface DriverFailure {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly errors?: readonly DriverFailure[];
}

/** The codes of the server, the network and the file system, and the stage that each stands for. */
const STAGES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host name is not known (host)',
  EAI_AGAIN: 'the host name could not be looked up (host)',
  ECONNREFUSED: 'nothing listens there (host, port)',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'the host cannot be reached (host)',
  ENETUNREACH: 'the network cannot be reached (host)',
  ETIMEDOUT: 'the host does not answer (host, port)',
  ENOENT: 'there is no such socket (host, port)',
  EACCES: 'the socket cannot be opened (host)',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name (host, sslmode)',
  '28P01': 'authentication failed (user, password)',
  '28000': 'the server does not let this user in (user, sslmode, pg_hba.conf)',
  '3D000': 'there is no such database (database)',
  '53300': 'the server has too many connections already (pool.max, max_connections)',
  '57P03': 'the server is starting or stopping',
};

/**
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes: whoever signed the certificate is not
 * trusted.
 */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

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

/**
 * The public error of a connection that could not be opened: where to, and which setting is to blame.
 * @param known what failed, where that is known already
 */
export function connectFailure(settings: PostgresSettings, error: unknown, known?: string): MillpondError {
  if (error instanceof MillpondError) return error;
  const { code, message = known } = first(error ?? {});
  const name = typeof code === 'string' ? code : '';
  const said = typeof message === 'string' ? message : 'the driver gave no reason';
  const stage = known ?? STAGES[name] ?? (UNTRUSTED.has(name) ? untrusted(settings) : said);
  return new ConnectionError(
    `${placeOf(settings)} cannot be connected to: ${withoutSecret(stage, settings)}.`,
    {
      cause: toCause(name, withoutSecret(said, settings)),
      retryable: PASSING.has(name),
    },
  );
}

function untrusted({ parameters: { sslrootcert } }: PostgresSettings): string {
  const trusted = sslrootcert === undefined ? 'names the file of those that are' : `is ${sslrootcert}`;
  return `its certificate is signed by nobody who is trusted (sslrootcert ${trusted})`;
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
