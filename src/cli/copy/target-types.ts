import type { Queryable } from '../../driver/index.ts';
import type { SourceColumn, SourceTable } from './read-schema.ts';
import { quoteId } from './quote.ts';

export type TargetType = 'bigint' | 'boolean' | 'double precision' | 'numeric' | 'text' | 'bytea';

/** How many values of a column are stored as what, whatever was declared. */
interface StoredClasses {
  readonly integer: number;
  readonly real: number;
  readonly text: number;
  readonly blob: number;
  /** Of the integers, those that are neither 0 nor 1. */
  readonly notBoolean: number;
  /** Of the integers, those that a double has no room for. */
  readonly large: number;
  readonly nulls: number;
}

export interface TypedColumn extends SourceColumn {
  readonly type: TargetType;
  readonly hasNulls: boolean;
}

/**
 * The types of a table's columns: as declared, where its values fit; otherwise one that holds all of them,
 * with a warning. SQLite takes a text for an integer column, and PostgreSQL does not.
 * https://sqlite.org/datatype3.html#determination_of_column_affinity
 */
export async function chooseTypes(
  db: Queryable,
  table: SourceTable,
  warn: (message: string) => void,
): Promise<TypedColumn[]> {
  const stored = await readClasses(db, table);
  return table.columns.map((column, index) => {
    const classes = stored[index]!;
    const wanted = declaredType(column.declared, classes);
    const type = widen(wanted, classes);
    const place = `${table.name}.${column.name}`;
    if (type !== wanted)
      warn(`${place} is declared ${column.declared} and holds other values: it became ${type}`);
    else if (type === 'text' && column.declared === '' && classes.integer + classes.real > 0)
      warn(`${place} holds texts and numbers: it became text`);
    if (type === 'text' && classes.blob > 0)
      warn(`${place} holds blobs: they became their hexadecimal digits`);
    return { ...column, type, hasNulls: classes.nulls > 0 };
  });
}

function declaredType(declared: string, classes: StoredClasses): TargetType {
  const word = declared.toUpperCase();
  if (word.includes('BOOL')) return 'boolean';
  if (word.includes('INT')) return 'bigint';
  if (/CHAR|CLOB|TEXT/.test(word)) return 'text';
  if (word.includes('BLOB')) return 'bytea';
  if (/REAL|FLOA|DOUB/.test(word)) return 'double precision';
  if (/NUMERIC|DECIMAL/.test(word)) return 'numeric';
  // Dates, JSON and whatever else: as what it is stored.
  return storedType(classes);
}

function storedType({ blob, text, ...numbers }: StoredClasses): TargetType {
  if (text > 0) return 'text';
  if (blob > 0) return numbers.integer + numbers.real > 0 ? 'text' : 'bytea';
  return numbers.integer + numbers.real > 0 ? numberType(numbers) : 'text';
}

function numberType({ integer, real, large }: Pick<StoredClasses, 'integer' | 'real' | 'large'>): TargetType {
  if (real === 0) return 'bigint';
  return integer > 0 && large > 0 ? 'numeric' : 'double precision';
}

/** The narrowest type that holds every value exactly. */
function widen(type: TargetType, classes: StoredClasses): TargetType {
  const { integer, real, text, blob, notBoolean } = classes;
  switch (type) {
    case 'bytea':
      return integer + real + text === 0 ? type : storedType(classes);
    case 'text':
      return type;
    case 'boolean':
      return real + text + blob + notBoolean === 0 ? type : widen('bigint', classes);
    default:
      if (integer + real + text === 0 && blob > 0) return 'bytea';
      if (text + blob > 0) return 'text';
      if (type === 'numeric') return type;
      return type === 'bigint' || classes.large > 0 ? numberType(classes) : type;
  }
}

/** Columns of one query: SQLite's limit is 2,000 in its answer. https://sqlite.org/limits.html#max_column */
const COLUMNS_AT_ONCE = 100;
/** https://sqlite.org/lang_expr.html#castexpr: a double holds each integer up to 2^53. */
const CLASSES: Readonly<Record<keyof StoredClasses, (id: string) => string>> = {
  integer: (id) => `typeof(${id}) = 'integer'`,
  real: (id) => `typeof(${id}) = 'real'`,
  text: (id) => `typeof(${id}) = 'text'`,
  blob: (id) => `typeof(${id}) = 'blob'`,
  notBoolean: (id) => `typeof(${id}) = 'integer' and ${id} not in (0, 1)`,
  large: (id) => `typeof(${id}) = 'integer' and ${id} not between -9007199254740992 and 9007199254740992`,
  nulls: (id) => `${id} is null`,
};

async function readClasses(db: Queryable, { name, columns }: SourceTable): Promise<StoredClasses[]> {
  const all: StoredClasses[] = [];
  const kinds = Object.keys(CLASSES) as (keyof StoredClasses)[];
  for (let at = 0; at < columns.length; at += COLUMNS_AT_ONCE) {
    const part = columns.slice(at, at + COLUMNS_AT_ONCE);
    const terms = part.flatMap((column, index) =>
      kinds.map((kind) => `total(${CLASSES[kind](quoteId(column.name))}) as "${index} ${kind}"`),
    );
    const query = `select ${terms.join(', ')} from ${quoteId(name)}`;
    const row = (await db.get<Record<string, number>>(query, [], { timeoutMs: 0 }))!;
    for (const index of part.keys()) {
      const entries = kinds.map((kind) => [kind, row[`${index} ${kind}`]]);
      all.push(Object.fromEntries(entries));
    }
  }
  return all;
}
