import { resolve } from 'node:path';
import type { Location } from './addresses.ts';
import type { Merged } from './merge.ts';
import type { ResolvedDatabaseConfig, ResolvedPostgresConfig, ResolvedSqliteConfig } from './resolved.ts';
import { isSqliteOnly } from './text-names.ts';
import type { FlatOptions, OptionName } from './schema.ts';

interface Findings {
  readonly name: string | false;
  readonly location: Location;
  readonly merged: Merged;
  /** An absolute path. */
  readonly initScript: string | undefined;
  /** Where relative paths begin. */
  readonly directory: string;
}

/** Puts the checked values into the frozen object that the rest of millpond reads. */
export function buildConfig({
  name,
  location,
  merged,
  initScript,
  directory,
}: Findings): ResolvedDatabaseConfig {
  const { values } = merged;
  const shared = {
    name,
    url: location.url,
    pooled: values.pooled,
    readOnly: values.readOnly,
    queryTimeoutMs: values.queryTimeoutMs,
    transactionTimeoutMs: values.transactionTimeoutMs,
    idleInTransactionTimeoutMs: values.idleInTransactionTimeoutMs,
    cancelGraceMs: values.cancelGraceMs,
    closeTimeoutMs: values.closeTimeoutMs,
    log: values.log,
    slowQueryMs: values.slowQueryMs,
    exposeParams: values.exposeParams,
    statementCacheSize: values.statementCacheSize,
    autoMigrate: values.autoMigrate,
    migrationsFolder: values.migrationsFolder && resolve(directory, values.migrationsFolder),
    pool: groupOf<ResolvedDatabaseConfig['pool']>('pool', values),
    healthCheck: groupOf<ResolvedDatabaseConfig['healthCheck']>('healthCheck', values),
    sources: sourcesOf(merged, location),
  };
  if (location.path === undefined) return Object.freeze({ ...shared, ...postgresPart(location, values) });
  return Object.freeze({ ...shared, ...sqlitePart(values, { path: location.path, initScript }) });
}

type PostgresPart = Pick<ResolvedPostgresConfig, 'dialect' | 'primary' | 'replicas' | 'replica' | 'postgres'>;

function postgresPart({ targets: [primary, ...replicas] }: Location, values: FlatOptions): PostgresPart {
  const replica = groupOf<ResolvedPostgresConfig['replica']>('replica', values);
  const postgres = groupOf<ResolvedPostgresConfig['postgres']>('postgres', values);
  return { dialect: 'postgres', primary: primary!, replicas: Object.freeze(replicas), replica, postgres };
}

type SqlitePart = Omit<ResolvedSqliteConfig, keyof ResolvedPostgresConfig> & { readonly dialect: 'sqlite' };

function sqlitePart(values: FlatOptions, file: { path: string; initScript: string | undefined }): SqlitePart {
  return {
    dialect: 'sqlite',
    ...file,
    durability: values.durability,
    busyTimeoutMs: values.busyTimeoutMs,
    inlineReads: values.inlineReads,
    inlineBudgetMs: values.inlineBudgetMs,
    sqlite: groupOf<ResolvedSqliteConfig['sqlite']>('sqlite', values),
  };
}

/** The options `group.*` as an object. A preset is left out: it has become the values it stands for. */
function groupOf<T extends object>(group: string, values: FlatOptions): T {
  const prefix = `${group}.`;
  const entries = Object.entries(values).filter(
    ([option]) => option.startsWith(prefix) && option !== 'pool.preset',
  );
  return Object.freeze(
    Object.fromEntries(entries.map(([option, value]) => [option.slice(prefix.length), value])),
  ) as T;
}

function sourcesOf({ sources }: Merged, { dialect, source }: Location): Readonly<Record<string, string>> {
  const used = Object.entries(sources).filter(
    ([option]) => option !== 'pool.preset' && (dialect === 'sqlite' || !isSqliteOnly(option as OptionName)),
  );
  return Object.freeze({ url: source, ...Object.fromEntries(used) });
}
