import { is, sql, type Column, type SQL } from 'drizzle-orm';
import { PgArray } from 'drizzle-orm/pg-core';

/**
 * A column's role is the identity of the function that it was made with: drizzle keeps it on the column, so
 * that we need not keep anything ourselves.
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

/**
 * PostgreSQL's engine reads a moment as a `Date`. A column in drizzle's mode 'string' would write its time in
 * UTC with the offset of this process.
 */
export function isMomentAsText(column: Column): boolean {
  if (is(column, PgArray)) return isMomentAsText(column.baseColumn);
  const { columnType, withTimezone } = column as Column & { readonly withTimezone?: boolean };
  return columnType === 'PgTimestampString' && withTimezone === true;
}

/** As PostgreSQL writes it in UTC, to the ms. */
export function momentText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(momentText);
  if (value instanceof Date) return `${value.toISOString().slice(0, -1).replace('T', ' ')}+00`;
  return typeof value === 'number' ? (value > 0 ? 'infinity' : '-infinity') : value;
}

/** Of `updatedAt` in `timestamps()`. */
export function now(): Date {
  return new Date();
}
