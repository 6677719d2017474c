import { resolve } from 'node:path';
import type { Checked } from './checked.ts';

export const MEMORY_PATH = ':memory:';

/** A name and its value, as a URL carries them after the `?`. */
export type UrlParameter = readonly [name: string, value: string];

export interface SqliteAddress {
  /** An absolute path, or `:memory:`. */
  readonly path: string;
  readonly parameters: readonly UrlParameter[];
}

const SCHEME = /^(?:sqlite|file):/i;
const PLAIN = /^(?::memory:|(?:[a-z]:[\\/])?[^:?]*\.(?:db|sqlite3?))(?=\?|$)/i;

/** True for what can only mean SQLite: its schemes, `:memory:`, a path that ends like a database file. */
export function isSqliteUrl(url: string): boolean {
  return SCHEME.test(url) || PLAIN.test(url);
}

/** True where no part of `url` is a host or a login: it is a path, and may be shown. */
export function isSqliteAddress(url: string): boolean {
  return isSqliteUrl(url) && !/^\w+:\/\/[^/]/.test(url);
}

/** The address of a path as it is, whatever characters it holds. */
export function toSqliteUrl(path: string): string {
  return path === MEMORY_PATH
    ? 'sqlite::memory:'
    : `sqlite:${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}`;
}

/** Reads an address for which `isSqliteUrl` is true; a relative path starts at `directory`. */
export function parseSqliteUrl(url: string, directory: string): Checked<SqliteAddress> {
  const text = url.replace(SCHEME, '');
  const hasScheme = text !== url;
  const [body, query = ''] = splitOnce(text, '?');
  const path = hasScheme ? pathOf(body) : { value: body };
  if ('fault' in path) return path;
  const fault = faultOfPath(path.value);
  if (fault !== undefined) return { fault };
  const isMemory = path.value === MEMORY_PATH;
  return {
    value: {
      path: isMemory ? MEMORY_PATH : resolve(directory, path.value),
      parameters: [...new URLSearchParams(query)],
    },
  };
}

function pathOf(body: string): Checked<string> {
  if (body.includes('#')) return { fault: 'write # as %23' };
  if (/^\/\/[^/]/.test(body)) {
    return {
      fault:
        'two slashes name a server; write sqlite:data/app.db (relative) or sqlite:///data/app.db (absolute)',
    };
  }
  try {
    return { value: decodeURIComponent(body.replace(/^\/\/(?=\/)/, '')) };
  } catch {
    return { fault: 'write % as %25: percent signs begin an escape' };
  }
}

function faultOfPath(path: string): string | undefined {
  if (path === '' || path === '//') return 'it names no file';
  if (path.includes('\0')) return 'a path cannot hold a NUL character';
  if (/(?:^|[\\/])\.{0,2}$/.test(path)) return 'it names a folder; name a file in it';
  if (path.startsWith('~')) return '~ stands for a home folder only in a shell; write the path in full';
  return undefined;
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
