import {
  LineCounter,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type YAMLMap,
} from 'yaml';
import { showKey, type Origin, type Problems } from './problems.ts';

/** A key of a YAML file and what it holds. */
export interface YamlEntry extends Origin {
  /** The last part of `key`: `pool_size` of `database.sqlite.pool_size`. */
  readonly name: string;
  readonly value: YamlValue;
}

type YamlValue =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly texts: readonly string[] }
  | { readonly kind: 'map'; readonly entries: readonly YamlEntry[] };

const MAX_REPORTED = 10;
/** `databases`, a name, an engine, an option. */
const MAX_DEPTH = 4;

interface Reading {
  readonly file: string;
  readonly lines: LineCounter;
  readonly problems: Problems;
}

/**
 * Reads YAML into keys, lines and texts; a number or a truth value becomes its text, as if it were a
 * variable. An empty file has no entries. Faults are reported without the file's text, which may hold a
 * password.
 */
export function parseYaml(text: string, file: string, problems: Problems): readonly YamlEntry[] {
  const reading = { file, lines: new LineCounter(), problems };
  const document = parse(text, reading);
  if (document === undefined || document.contents === null) return [];
  if (isMap(document.contents)) return entriesOf(document.contents, [], reading);
  problems.add({ key: file, source: file }, 'holds no keys; it begins with "database:" or "databases:"');
  return [];
}

function parse(text: string, { file, lines, problems }: Reading): Document | undefined {
  // The parser limits its own depth; aliases, which could multiply a small file, are refused below.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = [...document.errors, ...document.warnings].slice(0, MAX_REPORTED);
  for (const { code, pos } of faults) {
    const reason = code.toLowerCase().replaceAll('_', ' ');
    const source = `${file}:${lines.linePos(pos[0]).line}`;
    problems.add({ key: file, source }, `is not valid YAML (${reason})`);
  }
  return faults.length === 0 ? document : undefined;
}

function entriesOf(map: YAMLMap, path: readonly string[], reading: Reading): YamlEntry[] {
  return map.items.flatMap(({ key: keyNode, value: node }) => {
    const name = isScalar(keyNode) ? String(keyNode.value) : '';
    const offset = (isScalar(keyNode) ? keyNode : map).range?.[0] ?? 0;
    const source = `${reading.file}:${reading.lines.linePos(offset).line}`;
    const inner = [...path, showKey(name)];
    const origin = { key: inner.join('.'), source };
    const value = valueOf(node, inner, reading);
    if (typeof value !== 'string') return [{ ...origin, name, value }];
    reading.problems.add(origin, value);
    return [];
  });
}

/** @returns the fault, where the value is of no kind that is used here. */
function valueOf(node: unknown, path: readonly string[], reading: Reading): YamlValue | string {
  if (isMap(node)) {
    return path.length < MAX_DEPTH
      ? { kind: 'map', entries: entriesOf(node, path, reading) }
      : 'holds keys; allowed: a value';
  }
  if (isScalar<string | number | boolean | null>(node) && node.value !== null)
    return { kind: 'text', text: String(node.value) };
  if (isSeq(node) && node.items.every(isScalar)) {
    return { kind: 'list', texts: node.items.map(({ value }) => String(value)) };
  }
  if (isAlias(node)) return 'is an alias; write the value out';
  return isSeq(node) ? 'is a list of more than values' : 'has no value; remove the key, or give it one';
}
