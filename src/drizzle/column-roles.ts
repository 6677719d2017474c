import { sql, type Column, type SQL } from 'drizzle-orm';

/**
 * A column's role is the identity of the function that it was made with: drizzle keeps it on the column, and
 * nothing else of ours has to.
 */

/** Of `version()`. Drizzle calls it as a method of the column, in its own updates as well as in ours. */
export function nextVersion(this: Column | void): SQL {
  return sql`${this as Column} + 1`;
}

/** Of `softDelete()`. */
export function notDeleted(): SQL {
  return sql`null`;
}

export function isVersion(column: Column): boolean {
  return column.onUpdateFn === nextVersion;
}

export function isDeletionMark(column: Column): boolean {
  return column.defaultFn === notDeleted;
}

/**
 * PostgreSQL's engine has read such a value already; drizzle would read it once more where it is a string,
 * and make a number of `"1"`.
 */
export function isReadAsJson({ columnType }: Column): boolean {
  return columnType === 'PgJson' || columnType === 'PgJsonb';
}

/** Of `updatedAt` in `timestamps()`. */
export function now(): Date {
  return new Date();
}
