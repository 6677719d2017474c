import type { Address } from './layer.ts';
import { maskUrl } from './mask-url.ts';
import { parsePostgresUrl, isPostgresUrl } from './postgres-url.ts';
import type { Problems } from './problems.ts';
import type { PostgresTarget } from './resolved.ts';
import { isSqliteUrl, parseSqliteUrl, type UrlParameter } from './sqlite-url.ts';
import { suggest } from './suggest.ts';
import type { Dialect } from './text-names.ts';

/** An address that was read. */
export type ParsedAddress = (
  | { readonly dialect: 'sqlite'; readonly path: string }
  | { readonly dialect: 'postgres'; readonly target: PostgresTarget }
) & { readonly parameters: readonly UrlParameter[] };

export function dialectOf(url: string): Dialect | undefined {
  if (isSqliteUrl(url)) return 'sqlite';
  return isPostgresUrl(url) ? 'postgres' : undefined;
}

/** Reads an address; one that cannot be read is a problem, told without its password. */
export function parseAddress(
  address: Address,
  directory: string,
  problems: Problems,
): ParsedAddress | undefined {
  const { url } = address;
  const dialect = dialectOf(url);
  if (dialect === undefined) {
    problems.add(address, `is ${shown(url)}, no address of a database millpond knows; ${allowed(url)}`);
    return undefined;
  }
  if (dialect === 'sqlite') {
    const parsed = parseSqliteUrl(url, directory);
    if ('value' in parsed) return { dialect, ...parsed.value };
    problems.add(address, `is ${shown(url)}: ${parsed.fault}`);
    return undefined;
  }
  const parsed = parsePostgresUrl(url);
  if ('value' in parsed) return { dialect, ...parsed.value };
  problems.add(address, `is ${shown(url)}: ${parsed.fault}`);
  return undefined;
}

function shown(url: string): string {
  return JSON.stringify(maskUrl(url).slice(0, 200));
}

function allowed(url: string): string {
  const scheme = /^[a-z]+(?=:)/i.exec(url)?.[0] ?? '';
  const meant = suggest(scheme, ['sqlite', 'file', 'postgres', 'postgresql']);
  if (scheme !== '' && meant !== undefined) return `did you mean ${meant}:?`;
  return (
    'allowed: sqlite:data/app.db, sqlite::memory:, file:app.db, ' +
    'a path that ends in .db, .sqlite or .sqlite3, or postgres://user:password@host:5432/name'
  );
}
