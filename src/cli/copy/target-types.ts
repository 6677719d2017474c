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
    if (type !== wanted) {
      warn(
        `${table.name}.${column.name} is declared ${column.declared} and holds other values: it became ` +
          `${type}`,
      );
    }
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

function storedType({ integer, real, blob, text }: StoredClasses): TargetType {
  if (text > 0) return 'text';
  if (blob > 0) return 'bytea';
  if (real > 0) return 'double precision';
  return integer > 0 ? 'bigint' : 'text';
}

/** The narrowest type that holds every value exactly. */
function widen(type: TargetType, classes: StoredClasses): TargetType {
  const { integer, real, text, blob, notBoolean } = classes;
  const numbers = integer + real;
  switch (type) {
    case 'bytea':
      return numbers + text === 0 ? type : storedType(classes);
    case 'text':
      return type;
    case 'boolean':
      return real + text + blob + notBoolean === 0 ? type : widen('bigint', classes);
    case 'bigint':
      return real + text + blob === 0 ? type : widen('double precision', classes);
    default:
      if (text + blob === 0) return type;
      return numbers + text === 0 ? 'bytea' : 'text';
  }
}

async function readClasses(db: Queryable, { name, columns }: SourceTable): Promise<StoredClasses[]> {
  const all: StoredClasses[] = [];
  for (const column of columns) {
    const id = quoteId(column.name);
    const row = await db.get<StoredClasses>(
      `select total(typeof(${id}) = 'integer') as "integer", total(typeof(${id}) = 'real') as "real",
         total(typeof(${id}) = 'text') as "text", total(typeof(${id}) = 'blob') as "blob",
         total(typeof(${id}) = 'integer' and ${id} not in (0, 1)) as "notBoolean",
         total(${id} is null) as "nulls"
       from ${quoteId(name)}`,
      [],
      { timeoutMs: 0 },
    );
    all.push(row!);
  }
  return all;
}
