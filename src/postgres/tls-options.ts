import { readFile } from 'node:fs/promises';
// Not by name: a Node too old to have it would fail here, before it is told that it is too old.
import tls, { type ConnectionOptions } from 'node:tls';
import { connectFailure } from './connect-failure.ts';
import type { PostgresSettings } from './settings.ts';

/** What `sslmode` asks for: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION */
export interface TlsChoice {
  /** Undefined: without TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** Goes on without TLS where the server has none. */
  readonly isOptional: boolean;
}

/** @throws ConnectionError naming the file that cannot be used */
export async function chooseTls(settings: PostgresSettings): Promise<TlsChoice> {
  const { sslmode = 'disable', sslrootcert, sslcert } = settings.parameters;
  if (sslmode === 'disable') return { tls: undefined, isOptional: false };
  const files = {
    ...(sslrootcert === undefined ? {} : { ca: await authorities(settings) }),
    ...(sslcert === undefined
      ? {}
      : { cert: await read(settings, 'sslcert'), key: await read(settings, 'sslkey') }),
  };
  return {
    tls: { ...files, ...trustOf(sslmode, sslrootcert !== undefined) },
    isOptional: isOptional(sslmode),
  };
}

/** 'system': https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-SSLROOTCERT */
async function authorities(settings: PostgresSettings): Promise<ConnectionOptions['ca']> {
  if (settings.parameters['sslrootcert'] === 'system') return tls.getCACertificates('system');
  return read(settings, 'sslrootcert');
}

/** Read again for each connection: certificates are replaced while a process runs. */
async function read(settings: PostgresSettings, name: 'sslrootcert' | 'sslcert' | 'sslkey'): Promise<string> {
  const path = settings.parameters[name]!;
  const kind = name === 'sslkey' ? 'PRIVATE KEY' : 'CERTIFICATE';
  try {
    const text = await readFile(path, 'latin1');
    if (text.includes(`${kind}-----`)) return text;
  } catch (error) {
    throw connectFailure(settings, error, `${name} cannot be read: ${path}`);
  }
  throw connectFailure(settings, undefined, `${name} holds no ${kind} in PEM form: ${path}`);
}

function isOptional(sslmode: string): boolean {
  return sslmode === 'prefer' || sslmode === 'allow';
}

/** As in libpq, 'require' checks the certificate only where an authority to check it against was given. */
function trustOf(sslmode: string, hasAuthority: boolean): ConnectionOptions {
  if (sslmode === 'verify-full') return { rejectUnauthorized: true };
  const checksAuthority = sslmode === 'verify-ca' || (sslmode === 'require' && hasAuthority);
  if (!checksAuthority) return { rejectUnauthorized: false };
  // The name in the certificate is not compared.
  return { rejectUnauthorized: true, checkServerIdentity: () => undefined };
}
