import { ANYTHING, BLOB, INTEGER, NULL, NUMERIC, REAL, TEXT } from './abstract-value.ts';

/** What a declared type means: by SQLite's own rules, and by the conventions behind names like `datetime`. */
export interface DeclaredType {
  /** Without NULL. */
  readonly classes: number;
  /** What is bound for it; undefined for a type that says nothing. */
  readonly bindable: string | undefined;
}

const EVERYTHING: DeclaredType = { classes: ANYTHING & ~NULL, bindable: undefined };

/** The order is that of https://sqlite.org/datatype3.html#determination_of_column_affinity */
export function readDeclaredType(declared: string | null | undefined): DeclaredType {
  const type = (declared ?? '').toUpperCase();
  if (type.includes('INT')) return { classes: INTEGER, bindable: 'number | bigint' };
  if (/CHAR|CLOB|TEXT/.test(type)) return { classes: TEXT, bindable: 'string' };
  if (type.includes('BLOB')) return { classes: BLOB, bindable: 'Uint8Array' };
  if (type === '' || type === 'ANY') return EVERYTHING;
  if (/REAL|FLOA|DOUB/.test(type)) return { classes: REAL, bindable: 'number' };
  // From here on the affinity is NUMERIC: what is not a number stays as it is.
  if (/DATE|TIME/.test(type)) return { classes: TEXT | NUMERIC, bindable: 'string | number | Date' };
  if (type.includes('BOOL')) return { classes: INTEGER, bindable: 'boolean | number' };
  if (type.includes('JSON')) return { classes: TEXT, bindable: 'string' };
  if (/NUM|DEC|MONEY/.test(type)) return { classes: NUMERIC, bindable: 'number | bigint' };
  return EVERYTHING;
}

/** Storage classes as a TypeScript type, without null. */
export function typeOfClasses(classes: number): string {
  if ((classes | NULL) === ANYTHING) return 'unknown';
  const names = [
    (classes & NUMERIC) !== 0 ? 'number' : '',
    (classes & TEXT) !== 0 ? 'string' : '',
    (classes & BLOB) !== 0 ? 'Uint8Array' : '',
  ].filter((name) => name !== '');
  return names.length === 0 ? 'never' : names.join(' | ');
}
