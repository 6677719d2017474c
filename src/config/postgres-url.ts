import { maskUrl } from './mask-url.ts';
import type { Checked } from './checked.ts';
import type { PostgresTarget } from './resolved.ts';
import { Secret } from './secret.ts';
import type { UrlParameter } from './sqlite-url.ts';

export interface PostgresAddress {
  readonly target: PostgresTarget;
  /** The parameters that are not PostgreSQL's own. */
  readonly parameters: readonly UrlParameter[];
}

/** Of the connection: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS */
export const POSTGRES_PARAMETERS: readonly string[] = [
  'application_name',
  'client_encoding',
  'options',
  'sslcert',
  'sslkey',
  'sslmode',
  'sslrootcert',
];

/** https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-SSLMODE */
const SSL_MODES: readonly string[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];
const DEFAULT_PORT = 5432;
const ENCODE = 'in user and password, write @ : / ? # and % as %40 %3A %2F %3F %23 and %25';
const SHAPE = `write postgres://user:password@host:5432/name; ${ENCODE}`;

export function isPostgresUrl(url: string): boolean {
  return /^postgres(?:ql)?:/i.test(url);
}

/** Reads an address for which `isPostgresUrl` is true. No fault names any part of it. */
export function parsePostgresUrl(url: string): Checked<PostgresAddress> {
  const parsed = URL.parse(url);
  if (parsed === null || !/^\w+:\/\//.test(url)) return { fault: SHAPE };
  // A raw / ? or # in the password ends the host early, and the @ turns up where none can be.
  if (parsed.hash !== '' || (parsed.pathname + parsed.search).includes('@')) return { fault: ENCODE };
  if (parsed.hostname.includes(',')) return { fault: 'name one host; further ones go into read URLs' };
  const parts = decodeParts(parsed);
  if (parts === undefined) return { fault: ENCODE };
  if (parts.user === '') return { fault: `it names no user; ${SHAPE}` };
  if (parts.database === '') return { fault: `it names no database; ${SHAPE}` };
  if (parts.database.includes('/')) return { fault: `it has more than one / after the host; ${SHAPE}` };
  const port = parsed.port === '' ? DEFAULT_PORT : Number(parsed.port);
  if (port === 0) return { fault: 'a port is a number from 1 to 65535' };
  const query = [...parsed.searchParams];
  const fault = faultOf(query.filter(isOwn));
  return fault === undefined ? { value: toAddress(url, { ...parts, port, query }) } : { fault };
}

/** What is wrong with PostgreSQL's own parameters: nothing that protects a connection is guessed. */
function faultOf(own: readonly UrlParameter[]): string | undefined {
  const given = new Map(own);
  if (given.size < own.length) return 'it says one of sslmode, options and the like twice';
  const mode = given.get('sslmode');
  if (mode !== undefined && !SSL_MODES.includes(mode)) return `sslmode is one of ${SSL_MODES.join(', ')}`;
  const file = ['sslrootcert', 'sslcert', 'sslkey'].find((name) => given.has(name));
  if (file !== undefined && mode === undefined) return `${file} needs an sslmode, such as verify-full`;
  if (given.has('sslcert') !== given.has('sslkey')) return 'sslcert and sslkey go together';
  if (given.get('sslrootcert') === 'system' && mode !== 'verify-full') {
    return 'sslrootcert=system needs sslmode=verify-full';
  }
  const encoding = given.get('client_encoding');
  return encoding === undefined || /^utf-?8$/i.test(encoding)
    ? undefined
    : 'client_encoding can only be UTF8';
}

function isOwn([name]: UrlParameter): boolean {
  return POSTGRES_PARAMETERS.includes(name);
}

interface Parts {
  readonly host: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** @returns undefined where a percent sign begins no escape. */
function decodeParts(parsed: URL): Parts | undefined {
  try {
    return {
      host: decodeURIComponent(parsed.hostname.replace(/^\[(.*)\]$/, '$1')),
      user: decodeURIComponent(parsed.username),
      password: decodeURIComponent(parsed.password),
      database: decodeURIComponent(parsed.pathname.slice(1)),
    };
  } catch {
    return undefined;
  }
}

function toAddress(
  url: string,
  { host, port, user, password, database, query }: Parts & { port: number; query: UrlParameter[] },
): PostgresAddress {
  const parameters = Object.freeze(Object.fromEntries(query.filter(isOwn)));
  const secret = password === '' ? undefined : new Secret(password);
  const target = { url: maskUrl(url), host, port, user, password: secret, database, parameters };
  return { target: Object.freeze(target), parameters: query.filter((parameter) => !isOwn(parameter)) };
}
