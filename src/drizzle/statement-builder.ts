import { sql, type Column, type SQL, type Table } from 'drizzle-orm';

/** A statement as text and values. Those of a placeholder are still to be filled in. */
export interface BuiltStatement {
  readonly sql: string;
  readonly params: unknown[];
}

interface Buildable {
  toSQL(): BuiltStatement;
}

/** What is selected or returned, by its key in the row. */
export type Fields = Readonly<Record<string, SQL.Aliased>>;

export interface SelectStatement extends Buildable {
  where(condition: SQL | undefined): SelectStatement;
  orderBy(...by: readonly SQL[]): SelectStatement;
  limit(rows: number): SelectStatement;
  offset(rows: number): SelectStatement;
}

interface InsertStatement extends Buildable {
  onConflictDoUpdate(conflict: {
    readonly target: Column[];
    readonly set: Record<string, unknown>;
  }): InsertStatement;
  returning(fields: Fields): Buildable;
}

interface ChangeStatement extends Buildable {
  where(condition: SQL): ChangeStatement;
  returning(fields: Fields): Buildable;
}

/**
 * The few methods that drizzle's databases of both dialects have in common: their types have no common part
 * that could be called.
 */
export interface StatementBuilder {
  select(fields: Fields): { from(table: Table): SelectStatement };
  insert(table: Table): { values(rows: readonly Readonly<Record<string, unknown>>[]): InsertStatement };
  update(table: Table): { set(values: Record<string, unknown>): ChangeStatement };
  delete(table: Table): ChangeStatement;
  /** Knows the names of the columns that have none of their own. */
  readonly dialect: { readonly casing: { getColumnCasing(column: Column): string } };
}

/** All columns under their keys, so that a row needs no renaming. */
export function fieldsOf(columns: Readonly<Record<string, Column>>): Fields {
  return Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, sql`${column}`.as(key)]));
}
