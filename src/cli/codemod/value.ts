import type { Node } from './node.ts';
import type { Module } from './project.ts';

/** What an expression may stand for, as far as it matters here. */
export type Value =
  /** An open connection, a prepared statement, rows in an array, rows one by one. */
  | { readonly kind: 'connection' | 'statement' | 'array' | 'iterator' }
  /** Known to be none of these: of another library, of the language, or a connection that stays as it is. */
  | { readonly kind: 'foreign' }
  /** The class that opens a connection, or a function that does. */
  | { readonly kind: 'opener' | 'compat' }
  /** `node` is the function, class, object, or the call of `transaction()`. */
  | {
      readonly kind: 'function' | 'class' | 'instance' | 'object' | 'transaction' | 'signatures';
      readonly node: Node;
    }
  | { readonly kind: 'module'; readonly module: Module }
  | { readonly kind: 'library'; readonly from: string };

export const CONNECTION: Value = { kind: 'connection' };
export const STATEMENT: Value = { kind: 'statement' };
export const ARRAY: Value = { kind: 'array' };
export const FOREIGN: Value = { kind: 'foreign' };

/** More values than a name has in any code that a person could follow. */
const MOST = 32;

export function distinct(values: readonly Value[]): readonly Value[] {
  if (values.length < 2) return values;
  const found: Value[] = [];
  for (const value of values) {
    if (!found.some((other) => isSame(value, other))) found.push(value);
    if (found.length === MOST) break;
  }
  return found;
}

function isSame(one: Value, other: Value): boolean {
  if (one.kind !== other.kind) return false;
  if ('node' in one && 'node' in other) return one.node === other.node;
  if ('module' in one && 'module' in other) return one.module === other.module;
  return !('from' in one && 'from' in other) || one.from === other.from;
}

/** A name that a library exports, used as a value. */
export function exportedValue(from: string, name: string): Value | undefined {
  if (from === 'better-sqlite3' && name === 'default') return { kind: 'opener' };
  if (/^(?:node:)?sqlite$/.test(from) && name === 'DatabaseSync') return { kind: 'opener' };
  return from === 'millpond/compat' && name === 'compat' ? { kind: 'compat' } : undefined;
}

/** What a library's type is here, and what it is called in `millpond/compat`. */
export interface LibraryType {
  readonly kind: 'connection' | 'statement' | 'result' | 'other';
  readonly name: string;
}

export function exportedType(from: string, name: string): LibraryType | undefined {
  if (from === 'millpond/compat') {
    if (name === 'CompatDatabase') return { kind: 'connection', name };
    return name === 'CompatStatement' ? { kind: 'statement', name } : undefined;
  }
  const known =
    from === 'better-sqlite3' ? BETTER_SQLITE3 : /^(?:node:)?sqlite$/.test(from) ? NODE_SQLITE : undefined;
  if (known === undefined) return undefined;
  return Object.hasOwn(known, name) ? known[name] : { kind: 'other', name };
}

const CONNECTION_TYPE: LibraryType = { kind: 'connection', name: 'CompatDatabase' };
const STATEMENT_TYPE: LibraryType = { kind: 'statement', name: 'CompatStatement' };
const RESULT_TYPE: LibraryType = { kind: 'result', name: 'CompatRunResult' };

const BETTER_SQLITE3: Readonly<Record<string, LibraryType>> = {
  Database: CONNECTION_TYPE,
  Statement: STATEMENT_TYPE,
  RunResult: RESULT_TYPE,
};

const NODE_SQLITE: Readonly<Record<string, LibraryType>> = {
  DatabaseSync: CONNECTION_TYPE,
  StatementSync: STATEMENT_TYPE,
  StatementResultingChanges: RESULT_TYPE,
};

/** Methods of a connection: `wait` gives a promise now, `keep` is as it was. Others are not there. */
export const CONNECTION_MEMBERS: Readonly<Record<string, 'wait' | 'keep'>> = {
  ...{ exec: 'wait', pragma: 'wait', close: 'wait' },
  ...{
    prepare: 'keep',
    transaction: 'keep',
    backup: 'keep',
    name: 'keep',
    inTransaction: 'keep',
    database: 'keep',
  },
};

/** The same of a statement. `iterate` is for `for await`. */
export const STATEMENT_MEMBERS: Readonly<Record<string, 'wait' | 'keep' | 'iterate'>> = {
  ...{ run: 'wait', get: 'wait', all: 'wait', columns: 'wait', iterate: 'iterate' },
  ...{ pluck: 'keep', raw: 'keep', bind: 'keep', source: 'keep' },
};

/** Ways to call a function of `transaction()`. */
export const TRANSACTION_MEMBERS: ReadonlySet<string> = new Set([
  ...['default', 'deferred', 'immediate', 'exclusive'],
]);
