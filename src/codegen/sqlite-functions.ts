import {
  ANYTHING,
  BLOB,
  INTEGER,
  mayBeNull,
  NULL,
  NUMERIC,
  REAL,
  TEXT,
  type AbstractValue,
} from './abstract-value.ts';

/** Never NULL, whatever the arguments: https://sqlite.org/lang_corefunc.html */
const NEVER_NULL: Readonly<Record<string, number>> = {
  changes: INTEGER,
  char: TEXT,
  concat: TEXT,
  hex: TEXT,
  json_array: TEXT,
  json_object: TEXT,
  last_insert_rowid: INTEGER,
  quote: TEXT,
  random: INTEGER,
  sqlite_source_id: TEXT,
  sqlite_version: TEXT,
  total_changes: INTEGER,
  typeof: TEXT,
};

/** NULL exactly when an argument is. */
const NULL_OF_NULL: Readonly<Record<string, number>> = {
  abs: NUMERIC,
  glob: INTEGER,
  instr: INTEGER,
  json: TEXT,
  json_valid: INTEGER,
  length: INTEGER,
  like: INTEGER,
  lower: TEXT,
  ltrim: TEXT,
  octet_length: INTEGER,
  replace: TEXT,
  round: REAL,
  rtrim: TEXT,
  trim: TEXT,
  upper: TEXT,
};

/** May be NULL by rules of their own, but are of a known kind otherwise. */
const KNOWN_CLASS: Readonly<Record<string, number>> = {
  date: TEXT,
  datetime: TEXT,
  format: TEXT,
  json_array_length: INTEGER,
  json_type: TEXT,
  julianday: REAL,
  printf: TEXT,
  randomblob: BLOB,
  sign: INTEGER,
  strftime: TEXT,
  time: TEXT,
  unicode: INTEGER,
  unixepoch: INTEGER,
  zeroblob: BLOB,
};

const CLOCKS: ReadonlySet<string> = new Set(['date', 'time', 'datetime', 'julianday', 'unixepoch']);

/** What a scalar function gives. */
export function functionResult(name: string, args: readonly AbstractValue[]): number {
  const never = NEVER_NULL[name];
  if (never !== undefined) return never;
  const anyNull = args.some(mayBeNull) ? NULL : 0;
  const strict = NULL_OF_NULL[name];
  if (strict !== undefined) return strict | anyNull;
  if (name === 'min' || name === 'max') return args.reduce((classes, arg) => classes | arg.classes, 0);
  if (name === 'substr' || name === 'substring') return TEXT | ((args[0]?.classes ?? 0) & BLOB) | anyNull;
  if (name === 'nullif') return (args[0]?.classes ?? ANYTHING) | NULL;
  if (CLOCKS.has(name) && isNow(args)) return KNOWN_CLASS[name]!;
  const known = KNOWN_CLASS[name];
  return known === undefined ? ANYTHING : known | NULL;
}

/** `datetime()` and `datetime('now')`: with other arguments the result may be NULL. */
function isNow(args: readonly AbstractValue[]): boolean {
  return args.length === 0 || (args.length === 1 && args[0]!.text?.toLowerCase() === 'now');
}

/**
 * What an aggregate would give after one more row. `before` is what it would have given without it: NULL, and
 * only NULL, before the first. https://sqlite.org/lang_aggfunc.html
 */
export function aggregateStep(name: string, before: number, args: readonly AbstractValue[]): number {
  const [first] = args;
  const sawNothing = first !== undefined && mayBeNull(first) ? before & NULL : 0;
  const kept = before & ~NULL;
  switch (name) {
    case 'sum':
      // The sum of both infinities is NULL; the sum of integers is an integer or an error.
      return kept | NUMERIC | sawNothing | (isInteger(first) ? 0 : NULL);
    case 'avg':
      return kept | REAL | sawNothing | (isInteger(first) ? 0 : NULL);
    case 'min':
    case 'max':
      return kept | ((first?.classes ?? ANYTHING) & ~NULL) | sawNothing;
    case 'group_concat':
    case 'string_agg':
      return kept | TEXT | sawNothing;
    case 'total':
      // BLOB stands for: may have met both infinities.
      return kept | (isInteger(first) ? REAL : BLOB);
    default:
      return ANYTHING;
  }
}

/** What an aggregate gives in the end, also of no rows. */
export function aggregateResult(name: string, stepped: number): number {
  switch (name) {
    case 'count':
    case 'row_number':
    case 'rank':
    case 'dense_rank':
    case 'ntile':
      return INTEGER;
    case 'total':
      return (stepped & BLOB) === 0 ? REAL : REAL | NULL;
    case 'percent_rank':
    case 'cume_dist':
      return REAL;
    case 'json_group_array':
    case 'json_group_object':
      return TEXT;
    case 'sum':
    case 'avg':
    case 'min':
    case 'max':
    case 'group_concat':
    case 'string_agg':
      return stepped;
    default:
      return ANYTHING;
  }
}

function isInteger(value: AbstractValue | undefined): boolean {
  return value !== undefined && (value.classes & ~(INTEGER | NULL)) === 0;
}
