import type { Operation } from './definition.ts';
import { toCamelCase } from './camel-case.ts';
import type { FaultList } from './fault-list.ts';

/** A comment that begins a query: `-- name: get_job_by_id(id)^`. */
const DEFINITION = /^--\s*name\s*:\s*/u;
const NAME = /^[\p{L}_][\p{L}\p{M}\p{N}_-]*/u;
const LONGEST_NAME = 128;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  '': 'many',
  '^': 'one',
  $: 'value',
  '!': 'affected',
  '<!': 'returning',
  '*!': 'each',
  '#': 'script',
};

/** A parameter listed behind the name: `id`, `note?`, `id!`. */
export interface DeclaredParameter {
  readonly name: string;
  readonly nullable: boolean | undefined;
  readonly offset: number;
}

export interface NameLine {
  readonly name: string;
  readonly operation: Operation;
  /** Absent without parentheses: then any parameter may be used. */
  readonly declared: readonly DeclaredParameter[] | undefined;
  readonly offset: number;
}

/** True for a line comment that begins a query. */
export function isNameLine(comment: string): boolean {
  return DEFINITION.test(comment);
}

/** Reads the line; `start` is where the comment stands. @returns undefined when a fault was noted */
export function parseNameLine(comment: string, start: number, faults: FaultList): NameLine | undefined {
  const before = DEFINITION.exec(comment)![0].length;
  const rest = comment.slice(before).trimEnd();
  const offset = start + before;
  const written = NAME.exec(rest)?.[0];
  if (written === undefined || written.length > LONGEST_NAME) {
    const found = rest === '' ? 'nothing' : JSON.stringify(rest.slice(0, 32));
    faults.add(
      `A query's name is a letter, then letters, digits, _ or -, at most ${LONGEST_NAME}: found ${found}.`,
      offset,
      offset + rest.length,
    );
    return undefined;
  }
  const name = toCamelCase(written);
  if (isForbiddenName(name)) {
    faults.add(
      `${written} cannot be a query's name: JavaScript gives it a meaning.`,
      offset,
      offset + written.length,
    );
    return undefined;
  }
  return parseBehindName(
    { name, rest: rest.slice(written.length), offset, at: offset + written.length },
    faults,
  );
}

/** Names that would change what the object of queries is; `then` would make it a promise. */
export function isForbiddenName(name: string): boolean {
  return (
    name === '' || name === 'then' || name === '__proto__' || name === 'constructor' || name === 'prototype'
  );
}

interface BehindName {
  readonly name: string;
  readonly rest: string;
  readonly offset: number;
  readonly at: number;
}

function parseBehindName({ name, rest, offset, at }: BehindName, faults: FaultList): NameLine | undefined {
  const list = /^\s*\(([^)]*)\)/u.exec(rest);
  const written = rest.slice(list?.[0].length ?? 0);
  const mark = written.trim();
  const operation = Object.hasOwn(OPERATIONS, mark) ? OPERATIONS[mark] : undefined;
  if (operation === undefined) {
    const markAt = at + rest.length - written.trimStart().length;
    faults.add(
      `Unknown mark ${JSON.stringify(mark.slice(0, 32))} behind the name: there are none (rows), ` +
        '^ (one row), $ (one value), ! (affected rows), <! (returning), *! (many executions) and # (script).',
      markAt,
      markAt + mark.length,
    );
    return undefined;
  }
  const declared = list === null ? undefined : parseDeclared(list[1]!, at + list[0].indexOf('(') + 1, faults);
  return { name, operation, declared, offset };
}

function parseDeclared(text: string, start: number, faults: FaultList): DeclaredParameter[] {
  if (text.trim() === '') return [];
  const declared: DeclaredParameter[] = [];
  let at = start;
  for (const item of text.split(',')) {
    const offset = at + item.length - item.trimStart().length;
    const [, name, mark] = /^([\p{L}_][\p{L}\p{M}\p{N}_]*)\s*([?!])?$/u.exec(item.trim()) ?? [];
    at += item.length + 1;
    if (name === undefined) {
      faults.add(
        'Between the parentheses stand the names of parameters, each with ? (may be null) or ! (never null).',
        offset,
        offset + Math.max(1, item.trim().length),
      );
    } else if (declared.some((other) => other.name === name)) {
      faults.add(`The parameter ${name} is declared twice.`, offset, offset + name.length);
    } else {
      declared.push({ name, nullable: mark === undefined ? undefined : mark === '?', offset });
    }
  }
  return declared;
}
