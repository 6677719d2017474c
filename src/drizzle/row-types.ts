import type { SQL, Table } from 'drizzle-orm';
import type { IsUnion, Simplify } from 'drizzle-orm/utils';
import type { CallOptions } from '../driver/index.ts';

/** A row as it is read. */
export type RowOf<T extends Table> = T['$inferSelect'];
/** A row to be inserted: what has a default may be left out. */
export type NewRowOf<T extends Table> = T['$inferInsert'];
/** The keys of a table's columns in its rows. */
export type ColumnOf<T extends Table> = keyof T['_']['columns'] & string;

/** The columns declared with `.primaryKey()`; `never` where the key is composite, or there is none. */
export type PrimaryKeyOf<T extends Table> = {
  [C in ColumnOf<T>]: T['_']['columns'][C]['_']['isPrimaryKey'] extends true ? C : never;
}[ColumnOf<T>];

/** What identifies a row: the value of its key column, or an object of them when they are several. */
export type IdOf<T extends Table, K extends string> =
  IsUnion<K> extends true ? Simplify<Pick<RowOf<T>, K & keyof RowOf<T>>> : RowOf<T>[K & keyof RowOf<T>];

/** Columns that are never null: only they can be a key. */
export type NotNullColumnOf<T extends Table> = {
  [C in ColumnOf<T>]: T['_']['columns'][C]['_']['notNull'] extends true ? C : never;
}[ColumnOf<T>];

/**
 * Which rows: drizzle's condition, or an object of values that the columns must equal; null means IS NULL. An
 * undefined value is refused, since it would silently widen the condition.
 */
export type Where<T extends Table> = SQL | Partial<RowOf<T>>;

/** `{ name: 'asc', id: 'desc' }`: the first decides first. */
export type Order<C extends string> = { readonly [Column in C]?: 'asc' | 'desc' };

/** New values of some columns; `sql` for one that the database computes. */
export type PatchOf<T extends Table> = {
  readonly [C in keyof NewRowOf<T>]?: NewRowOf<T>[C] | SQL | undefined;
};

/** Options of every read. */
export interface ReadOptions extends CallOptions {
  /** Where the table has `softDelete()`: deleted rows too. @default false */
  readonly withDeleted?: boolean | undefined;
}

export interface FindOptions<T extends Table> extends ReadOptions {
  /** By columns, or drizzle's own `desc(users.name)`. @default none: the database's choice */
  readonly orderBy?: Order<ColumnOf<T>> | SQL | readonly SQL[] | undefined;
}

export interface FindAllOptions<T extends Table> extends FindOptions<T> {
  readonly where?: Where<T> | undefined;
  /** Most rows. @default all: use `findPage` for a table that grows */
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

interface PageOptions<T extends Table> extends ReadOptions {
  /** Most rows of a page, 1 to 10,000. */
  readonly size: number;
  readonly where?: Where<T> | undefined;
}

/** A page by its number. */
export interface OffsetPageOptions<T extends Table> extends PageOptions<T> {
  /** From 1. @default 1 */
  readonly page?: number | undefined;
  /** The key is added as the last, so that no two rows are equal. @default the key */
  readonly orderBy?: Order<ColumnOf<T>> | undefined;
  readonly after?: undefined;
  /** Counts all rows, by a second query of the same moment or a little later. @default false */
  readonly total?: boolean | undefined;
}

/** The page behind a row: the thousandth is as fast as the first, and no row is skipped or repeated. */
export interface KeysetPageOptions<T extends Table> extends PageOptions<T> {
  /** `next` of the page before; null for the first. Given back unchanged, with the same order. */
  readonly after: string | null;
  /**
   * The key is added as the last. Nulls come where the engine has them: first in 'asc' on SQLite, last on
   * PostgreSQL. @default the key
   */
  readonly orderBy?: Order<ColumnOf<T>> | undefined;
  readonly page?: undefined;
  /** Counts all rows, by a second query of the same moment or a little later. @default false */
  readonly total?: boolean | undefined;
}

export interface OffsetPage<Row> {
  readonly rows: Row[];
  readonly page: number;
  readonly size: number;
  readonly hasNext: boolean;
}

export interface KeysetPage<Row> {
  readonly rows: Row[];
  readonly size: number;
  /** For `after` of the next page; undefined on the last. Holds the last row's values of the order. */
  readonly next: string | undefined;
}

/** `total` is there when it was asked for. */
export type WithTotal<Options, Page> = Options extends { readonly total: true }
  ? Page & { readonly total: number }
  : Page;

export interface UpsertOptions<T extends Table> extends CallOptions {
  /** The columns of the unique constraint that decides whether the row is there. @default the key */
  readonly conflict?: readonly ColumnOf<T>[] | undefined;
}

export interface DeleteOptions extends CallOptions {
  /** Deletes for good also where the table has `softDelete()`. @default false */
  readonly hard?: boolean | undefined;
}

/** Options of `repository()` and `Repository()`. */
export interface RepositoryOptions<T extends Table> {
  /** The column that counts a row's updates. @default the one made by `version()`; false = none */
  readonly version?: ColumnOf<T> | false | undefined;
  /** The column that says when a row was deleted. @default the one made by `softDelete()`; false = none */
  readonly softDelete?: ColumnOf<T> | false | undefined;
}

/** The same for a table whose columns do not say what its key is. */
export interface KeyedRepositoryOptions<T extends Table, K extends string> extends RepositoryOptions<T> {
  /** The columns of the primary key, or one that is unique. @default the column with `.primaryKey()` */
  readonly key: K | readonly K[];
}
