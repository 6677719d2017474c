import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import type { PostgresSettings } from './settings.ts';

/** What `sslmode` asks for: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION */
export interface TlsChoice {
  /** Undefined: without TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** Goes on without TLS where the server has none. */
  readonly isOptional: boolean;
}

/** @throws the file system's error where a certificate cannot be read */
export async function chooseTls({ parameters }: Pick<PostgresSettings, 'parameters'>): Promise<TlsChoice> {
  const { sslmode = 'disable', sslrootcert, sslcert, sslkey } = parameters;
  if (sslmode === 'disable') return { tls: undefined, isOptional: false };
  const files = {
    ...(sslrootcert === undefined ? {} : { ca: await readFile(sslrootcert) }),
    ...(sslcert === undefined ? {} : { cert: await readFile(sslcert) }),
    ...(sslkey === undefined ? {} : { key: await readFile(sslkey) }),
  };
  return {
    tls: { ...files, ...trustOf(sslmode, sslrootcert !== undefined) },
    isOptional: isOptional(sslmode),
  };
}

function isOptional(sslmode: string): boolean {
  return sslmode === 'prefer' || sslmode === 'allow';
}

/** As libpq: 'require' checks the certificate only where an authority to check it by was given. */
function trustOf(sslmode: string, hasAuthority: boolean): ConnectionOptions {
  if (sslmode === 'verify-full') return { rejectUnauthorized: true };
  const checksAuthority = sslmode === 'verify-ca' || (sslmode === 'require' && hasAuthority);
  if (!checksAuthority) return { rejectUnauthorized: false };
  // The name in the certificate is not compared.
  return { rejectUnauthorized: true, checkServerIdentity: () => undefined };
}
