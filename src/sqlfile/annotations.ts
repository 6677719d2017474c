import type { Dialect } from '../sql/index.ts';
import type { ColumnMark } from './definition.ts';
import type { FaultList } from './fault-list.ts';
import { Scanner } from './scanner.ts';

/** What the file says of a parameter. */
export interface ParameterMark {
  readonly name: string;
  readonly nullable: boolean | undefined;
  readonly type: string | undefined;
  readonly offset: number;
}

/** What the comments between a query's name and its statement say. */
export interface Annotations {
  readonly documentation: string[];
  recordClass: string | undefined;
  dialect: Dialect | undefined;
  timeoutMs: number | undefined;
  cacheMs: number | undefined;
  target: 'primary' | 'replica' | undefined;
  readonly tags: string[];
  readonly columns: ColumnMark[];
  readonly parameters: ParameterMark[];
  readonly choices: { readonly name: string; readonly texts: Map<string, string>; readonly offset: number }[];
}

/** One annotation: what stands behind its colon, and where. */
interface Entry {
  readonly text: string;
  readonly offset: number;
  readonly end: number;
}

type Reader = (entry: Entry, annotations: Annotations) => string | undefined;

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** setTimeout takes no more: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_MS = 2_147_483_647;
const LONGEST_TYPE = 500;
const PARTNERS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{', '>': '<' };
const MARKED = /^(\S+?)([?!])?(?:\s*:\s*(\S.*))?$/su;
const WORD = /^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u;

/** By the word before the colon. Each gives what is wrong, if anything is. */
const READERS: Readonly<Record<string, Reader>> = {
  record_class: readRecordClass,
  dialect: readDialect,
  timeout: (entry, annotations) => readDuration(entry, (ms) => (annotations.timeoutMs = ms)),
  cache: (entry, annotations) => readDuration(entry, (ms) => (annotations.cacheMs = ms)),
  target: readTarget,
  tags: readTags,
  column: readColumn,
  param: readParameter,
  choice: readChoice,
};

export function noAnnotations(): Annotations {
  return {
    documentation: [],
    recordClass: undefined,
    dialect: undefined,
    timeoutMs: undefined,
    cacheMs: undefined,
    target: undefined,
    tags: [],
    columns: [],
    parameters: [],
    choices: [],
  };
}

/** Reads one line comment: an annotation, or a line of the documentation. */
export function readHeaderLine(
  comment: string,
  start: number,
  annotations: Annotations,
  faults: FaultList,
): void {
  const [lead, key, value] = /^--\s*([a-z_]+)\s*:\s*(.*)$/s.exec(comment)?.slice(0, 3) ?? [];
  const reader = key !== undefined && Object.hasOwn(READERS, key) ? READERS[key] : undefined;
  if (reader === undefined || lead === undefined) {
    annotations.documentation.push(comment.replace(/^-+ ?/, '').trimEnd());
    return;
  }
  const offset = start + comment.length - value!.length;
  const text = value!.trimEnd();
  const entry = { text, offset, end: offset + Math.max(1, text.length) };
  const fault = reader(entry, annotations);
  if (fault !== undefined) faults.add(fault, text === '' ? start : entry.offset, entry.end);
}

function readRecordClass({ text }: Entry, annotations: Annotations): string | undefined {
  if (!WORD.test(text)) return 'A record class is one name, such as Job.';
  annotations.recordClass = text;
  return undefined;
}

function readDialect({ text }: Entry, annotations: Annotations): string | undefined {
  if (text !== 'sqlite' && text !== 'postgres') return 'A dialect is sqlite or postgres.';
  annotations.dialect = text;
  return undefined;
}

function readTarget({ text }: Entry, annotations: Annotations): string | undefined {
  if (text !== 'primary' && text !== 'replica') return 'A target is primary or replica.';
  annotations.target = text;
  return undefined;
}

function readTags({ text }: Entry, annotations: Annotations): string | undefined {
  const tags = text.split(',').map((tag) => tag.trim());
  if (tags.some((tag) => !/^[^\s,]{1,64}$/u.test(tag))) {
    return 'Tags are words with commas between them, each at most 64 characters.';
  }
  for (const tag of tags) if (!annotations.tags.includes(tag)) annotations.tags.push(tag);
  return undefined;
}

function readDuration({ text }: Entry, take: (ms: number) => void): string | undefined {
  const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)?$/.exec(text) ?? [];
  const ms = Math.round(Number(number) * UNITS_MS[unit]!);
  if (number === undefined || ms > LONGEST_MS) {
    return `A duration is a number with ms, s, min, h or d, at most ${LONGEST_MS} ms: 500ms, 5s.`;
  }
  take(ms);
  return undefined;
}

function readColumn({ text, offset }: Entry, { columns }: Annotations): string | undefined {
  const [, name, mark, type] = MARKED.exec(text) ?? [];
  if (name === undefined || (mark === undefined && type === undefined)) {
    return 'Write column: name? (may be null), column: name! (never null) or column: name: type.';
  }
  if (type !== undefined && !isType(type)) return 'The type is no TypeScript type on one line.';
  if (columns.some((column) => column.name === name)) return `The column ${name} is marked twice.`;
  columns.push({ name, nullable: mark === undefined ? undefined : mark === '?', type, offset });
  return undefined;
}

function readParameter({ text, offset }: Entry, { parameters }: Annotations): string | undefined {
  const [, name, mark, type] = MARKED.exec(text) ?? [];
  if (name === undefined || (mark === undefined && type === undefined)) {
    return 'Write param: name? (may be null), param: name! (never null) or param: name: type.';
  }
  if (type !== undefined && !isType(type)) return 'The type is no TypeScript type on one line.';
  if (parameters.some((parameter) => parameter.name === name))
    return `The parameter ${name} is marked twice.`;
  parameters.push({ name, nullable: mark === undefined ? undefined : mark === '?', type, offset });
  return undefined;
}

/** `choice: sort.newest = created_at desc, id desc`. */
function readChoice({ text, offset }: Entry, { choices }: Annotations): string | undefined {
  const [, name, key, sql] = /^([^\s.]+)\.([^\s.=]+)\s*=\s*(\S.*)$/su.exec(text) ?? [];
  if (name === undefined || !WORD.test(name) || !/^[\p{L}\p{N}_-]+$/u.test(key!)) {
    return 'Write choice: name.key = SQL, such as choice: sort.newest = created_at desc.';
  }
  const fault = fragmentFault(sql!);
  if (fault !== undefined) return fault;
  let choice = choices.find((other) => other.name === name);
  if (choice === undefined) choices.push((choice = { name, texts: new Map(), offset }));
  if (choice.texts.has(key!)) return `The choice ${name}.${key!} is there twice.`;
  choice.texts.set(key!, sql!);
  return undefined;
}

/** A chosen text must not reach beyond its place: no open quote, comment, or end of the statement. */
function fragmentFault(sql: string): string | undefined {
  const scanner = new Scanner(sql);
  let depth = 0;
  while (scanner.next()) {
    const { kind, start } = scanner;
    if (kind === 'semicolon') return 'A chosen text does not end the statement.';
    if (kind === 'line-comment' || kind === 'block-comment') return 'A chosen text has no comments.';
    if (kind === 'parameter' || kind === 'positional') return 'A chosen text has no parameters.';
    if (kind === 'symbol' && sql[start] === '(') depth += 1;
    if (kind === 'symbol' && sql[start] === ')' && (depth -= 1) < 0) break;
  }
  if (scanner.open !== undefined)
    return `The chosen text opens a ${scanner.open.what} and does not close it.`;
  return depth === 0 ? undefined : 'The chosen text has a parenthesis without its partner.';
}

/** It becomes part of a generated file: brackets in pairs, and nothing that could end what it stands in. */
function isType(type: string): boolean {
  const bare = type.replaceAll(/'[^'\\]*'|"[^"\\]*"/g, '').replaceAll('=>', '');
  if (type.length > LONGEST_TYPE || !/^[\p{L}\p{N}_$ |&()[\]{}<>,:;?.-]*$/u.test(bare)) return false;
  const open: string[] = [];
  for (const character of bare) {
    const partner = PARTNERS[character];
    if ('([{<'.includes(character)) open.push(character);
    else if (partner !== undefined && open.pop() !== partner) return false;
    else if (character === ';' && !open.includes('{')) return false;
  }
  return open.length === 0;
}
