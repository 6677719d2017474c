import { parseAddress, type ParsedAddress } from './address.ts';
import type { Address, Layer, Setting } from './layer.ts';
import { POSTGRES_PARAMETERS } from './postgres-url.ts';
import { describeOrigin } from './layer.ts';
import { showKey, type Problems } from './problems.ts';
import type { PostgresTarget } from './resolved.ts';
import { toSqliteUrl } from './sqlite-url.ts';
import { readParameters, type Dialect } from './text-names.ts';

/** The addresses that count, as they were written. */
export interface ChosenAddresses {
  /** Which of the layers named the primary. */
  readonly level: number;
  readonly primary: Address;
  readonly readers: readonly Address[];
}

/** The same, read. */
export interface Location {
  readonly level: number;
  readonly dialect: Dialect;
  /** Of SQLite. */
  readonly path: string | undefined;
  /** Of PostgreSQL: the primary and then its replicas. */
  readonly targets: readonly PostgresTarget[];
  /** For people: without a password. */
  readonly url: string;
  readonly source: string;
  /** Options that followed the address. */
  readonly settings: readonly Setting[];
}

/**
 * The first layer that names a primary decides; readers come from that layer or one that ranks above it,
 * never from one below.
 */
export function chooseAddresses(layers: readonly Layer[]): ChosenAddresses | undefined {
  const level = layers.findIndex(({ url, writeUrl }) => (writeUrl ?? url) !== undefined);
  const layer = layers[level];
  if (layer === undefined) return undefined;
  const primary = (layer.writeUrl ?? layer.url)!;
  const readers = layers.slice(0, level + 1).find(({ readUrls }) => readUrls.length > 0)?.readUrls ?? [];
  return { level, primary, readers };
}

/** Reads the chosen addresses. @returns undefined where the primary's cannot be read. */
export function readAddresses(
  { level, primary, readers }: ChosenAddresses,
  directory: string,
  problems: Problems,
): Location | undefined {
  const parsed = parseAddress(primary, directory, problems);
  if (parsed === undefined) {
    for (const reader of readers) parseAddress(reader, directory, problems);
    return undefined;
  }
  const { dialect, parameters } = parsed;
  const alsoKnown = dialect === 'postgres' ? POSTGRES_PARAMETERS : [];
  const settings = readParameters(
    parameters,
    { key: primary.key, source: primary.source, dialect, alsoKnown },
    problems,
  );
  const replicas = readers.flatMap((reader) => readReplica(reader, { primary: parsed, directory }, problems));
  const shared = { level, dialect, source: describeOrigin(primary), settings };
  return parsed.dialect === 'sqlite'
    ? { ...shared, path: parsed.path, targets: [], url: toSqliteUrl(parsed.path) }
    : { ...shared, path: undefined, targets: [parsed.target, ...replicas], url: parsed.target.url };
}

function readReplica(
  reader: Address,
  { primary, directory }: { primary: ParsedAddress; directory: string },
  problems: Problems,
): PostgresTarget[] {
  const parsed = parseAddress(reader, directory, problems);
  if (parsed === undefined) return [];
  for (const [name] of parsed.parameters) {
    problems.add(
      { key: `${reader.key}?${showKey(name)}`, source: reader.source },
      'is an option; options follow the address of the primary',
    );
  }
  if (parsed.dialect === 'postgres' && primary.dialect === 'postgres') return [parsed.target];
  const isSame = parsed.dialect === 'sqlite' && primary.dialect === 'sqlite' && parsed.path === primary.path;
  if (!isSame) problems.add(reader, differenceFrom(primary, parsed));
  return [];
}

function differenceFrom(primary: ParsedAddress, reader: ParsedAddress): string {
  if (primary.dialect !== reader.dialect)
    return 'is of another engine than the primary; allowed: addresses of one engine';
  return 'is another file than the primary; allowed on SQLite: the same one, which readers and writer share';
}
