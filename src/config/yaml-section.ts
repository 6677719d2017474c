import { expandVariables } from './expand-variables.ts';
import type { FileRequest } from './file-request.ts';
import type { Address, Layer, Setting } from './layer.ts';
import { showValue, type Origin, type Problems } from './problems.ts';
import { isSqliteUrl, toSqliteUrl } from './sqlite-url.ts';
import { readSetting, TEXT_NAMES, type Dialect } from './text-names.ts';
import { unknownKey } from './unknown-key.ts';
import type { YamlEntry } from './yaml-file.ts';

/** The keys that say where the database is. */
const ADDRESS_KEYS: Readonly<Record<Dialect, readonly string[]>> = {
  sqlite: ['path'],
  postgres: ['url', 'write_url', 'read_urls', 'host', 'port', 'user', 'password', 'database'],
};
const PARTS: readonly string[] = ['host', 'port', 'user', 'password', 'database'];

/** One engine's section of one database. */
interface Section {
  readonly entries: readonly YamlEntry[];
  readonly origin: Origin;
  readonly engine: Dialect;
}

/** Reports keys that the section of this engine does not have. Looks at no value. */
export function checkSectionKeys(entries: readonly YamlEntry[], engine: Dialect, problems: Problems): void {
  const known = [...ADDRESS_KEYS[engine], ...TEXT_NAMES[engine].keys()];
  for (const entry of entries)
    if (!known.includes(entry.name)) problems.add(entry, unknownKey(entry.name, known));
}

/** Reads a section whose keys were checked. */
export function readSection(section: Section, request: FileRequest): Layer {
  const texts = new Map<string, Text>();
  const lists = new Map<string, Text[]>();
  for (const entry of section.entries) {
    const found = textsOf(entry, request);
    if (entry.name === 'read_urls') lists.set(entry.name, found);
    else if (found[0] !== undefined) texts.set(entry.name, found[0]);
  }
  const settings = [...texts.values()].flatMap((text) => settingOf(text, section.engine, request.problems));
  if (section.engine === 'sqlite')
    return { settings, url: sqliteAddress(texts.get('path'), request.problems), readUrls: [] };
  return {
    settings,
    url: postgresAddress(texts, section.origin, request.problems),
    writeUrl: toAddress(texts.get('write_url')),
    readUrls: (lists.get('read_urls') ?? []).map((text) => toAddress(text)!),
  };
}

/** A value with its variables put in. */
interface Text extends Origin {
  readonly name: string;
  readonly text: string;
  /** As a message may show it: with the variable's name, never with what a variable held. */
  readonly shown: string;
}

function textsOf(entry: YamlEntry, { variables, problems }: FileRequest): Text[] {
  const { key, source, name, value } = entry;
  if (value.kind === 'map') {
    problems.add(entry, 'holds keys; allowed: a value');
    return [];
  }
  if (value.kind === 'list' && name !== 'read_urls') {
    problems.add(entry, 'is a list; allowed: one value');
    return [];
  }
  return (value.kind === 'text' ? [value.text] : value.texts).flatMap((written) => {
    const expanded = expandVariables(written, variables);
    if ('fault' in expanded) {
      problems.add(entry, expanded.fault);
      return [];
    }
    const text = expanded.value;
    return [{ key, source, name, text, shown: text === written ? showValue(text) : `what ${written} gives` }];
  });
}

function settingOf(text: Text, engine: Dialect, problems: Problems): Setting[] {
  const name = TEXT_NAMES[engine].get(text.name);
  return name === undefined ? [] : readSetting(name, text, problems);
}

/** `path` is a path as it is, or an address that begins with `sqlite:` or `file:`. */
function sqliteAddress(path: Text | undefined, problems: Problems): Address | undefined {
  if (path === undefined) return undefined;
  const { text, key, source } = path;
  const hasScheme = /^[a-z][a-z0-9+.-]+:/i.test(text);
  if (!hasScheme) return { url: toSqliteUrl(text), key, source };
  if (isSqliteUrl(text)) return { url: text, key, source };
  problems.add(
    path,
    'is the address of another engine; allowed: a path, or an address that begins with sqlite: or file:',
  );
  return undefined;
}

/** From `url`, or put together from host, port, user, password and database. */
function postgresAddress(
  texts: ReadonlyMap<string, Text>,
  origin: Origin,
  problems: Problems,
): Address | undefined {
  const url = texts.get('url');
  const parts = PARTS.filter((part) => texts.has(part));
  if (url === undefined)
    return parts.length === 0 ? undefined : { url: joinParts(texts), key: origin.key, source: origin.source };
  if (parts.length > 0) problems.add(url, `is there beside ${parts.join(', ')}; write one or the other`);
  return toAddress(url);
}

function joinParts(texts: ReadonlyMap<string, Text>): string {
  const part = (name: string): string => texts.get(name)?.text ?? '';
  const [host, port] = [part('host') || 'localhost', part('port')];
  const login = [part('user'), part('password')]
    .filter((text) => text !== '')
    .map(encodeURIComponent)
    .join(':');
  const server = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host.replaceAll('/', '%2F');
  const place = port === '' ? server : `${server}:${port}`;
  return `postgres://${login}@${place}/${encodeURIComponent(part('database'))}`;
}

function toAddress(text: Text | undefined): Address | undefined {
  return text === undefined ? undefined : { url: text.text, key: text.key, source: text.source };
}
