import { sql, type HasDefault, type HasRuntimeDefault, type IsPrimaryKey, type NotNull } from 'drizzle-orm';
import {
  integer,
  text,
  type AnySQLiteColumn,
  type SQLiteIntegerBuilderInitial,
  type SQLiteTextBuilderInitial,
  type SQLiteTimestampBuilderInitial,
  type UpdateDeleteAction,
} from 'drizzle-orm/sqlite-core';
import { nextVersion, notDeleted, now } from './column-roles.ts';
import { uuidV7 } from './uuid-v7.ts';

type Integer = SQLiteIntegerBuilderInitial<''>;
type Text = SQLiteTextBuilderInitial<'', [string, ...string[]], undefined>;
type Timestamp<Name extends string> = HasDefault<NotNull<SQLiteTimestampBuilderInitial<Name>>>;

/** What happens to a row when the row that it refers to is deleted, or gets another key. */
interface SqliteReferenceActions {
  /** @default 'no action': the delete is refused */
  readonly onDelete?: UpdateDeleteAction | undefined;
  readonly onUpdate?: UpdateDeleteAction | undefined;
}

/** A column that refers to a `uuid()` instead of an `id()`. */
interface SqliteUuidReference extends SqliteReferenceActions {
  readonly type: 'uuid';
}

type Reference<Data> = () => AnySQLiteColumn<{ data: Data }>;

/** Columns with the same meaning as `postgres`', in SQLite's types. */
export interface SqliteColumns {
  /** The primary key: a number that the database counts up, never given twice. */
  id(): IsPrimaryKey<HasDefault<NotNull<Integer>>>;
  /** The primary key: a UUID of version 7, made by the program when a row has none. TEXT. */
  uuid(): HasRuntimeDefault<HasDefault<IsPrimaryKey<NotNull<Text>>>>;
  /**
   * `...timestamps()`: `createdAt` and `updatedAt`, in ms since 1970, read as `Date`. The database sets both
   * when a row is inserted without them; drizzle and repositories renew `updatedAt` with each update.
   */
  timestamps(): { createdAt: Timestamp<'created_at'>; updatedAt: HasDefault<Timestamp<'updated_at'>> };
  /** `authorId: foreignKey(() => users.id, { onDelete: 'cascade' })`: a row that must be there. */
  foreignKey(to: Reference<number>, actions?: SqliteReferenceActions): NotNull<Integer>;
  foreignKey(to: Reference<string>, actions: SqliteUuidReference): NotNull<Text>;
  /** The same, or null. */
  optionalForeignKey(to: Reference<number>, actions?: SqliteReferenceActions): Integer;
  optionalForeignKey(to: Reference<string>, actions: SqliteUuidReference): Text;
  /** Counts a row's updates from 1: a repository's `update` with an older one than the row's is refused. */
  version(): HasDefault<HasDefault<NotNull<Integer>>>;
  /** `deletedAt: softDelete()`: when the row was deleted, or null. Repositories mark rows with it. */
  softDelete(): HasRuntimeDefault<HasDefault<SQLiteTimestampBuilderInitial<''>>>;
}

/** https://sqlite.org/lang_datefunc.html#modifiers: 'subsec' gives the fraction, to the ms. */
const CURRENT_MS = sql`(cast(round(unixepoch('subsec') * 1000) as integer))`;

/** The helpers for `sqliteTable()`. */
export const sqlite: SqliteColumns = {
  id: () => integer().primaryKey({ autoIncrement: true }),
  uuid: () => text().primaryKey().$defaultFn(uuidV7),
  timestamps: () => ({
    createdAt: integer('created_at', { mode: 'timestamp_ms' }).notNull().default(CURRENT_MS),
    updatedAt: integer('updated_at', { mode: 'timestamp_ms' }).notNull().default(CURRENT_MS).$onUpdateFn(now),
  }),
  foreignKey,
  optionalForeignKey,
  version: () => integer().notNull().default(1).$onUpdateFn(nextVersion),
  softDelete: () => integer({ mode: 'timestamp_ms' }).$defaultFn(notDeleted),
};

function foreignKey(to: Reference<number>, actions?: SqliteReferenceActions): NotNull<Integer>;
function foreignKey(to: Reference<string>, actions: SqliteUuidReference): NotNull<Text>;
function foreignKey(
  to: () => AnySQLiteColumn,
  { type, ...actions }: Partial<SqliteUuidReference> = {},
): NotNull<Integer> | NotNull<Text> {
  return type === 'uuid'
    ? text().notNull().references(to, definedOf(actions))
    : integer().notNull().references(to, definedOf(actions));
}

function optionalForeignKey(to: Reference<number>, actions?: SqliteReferenceActions): Integer;
function optionalForeignKey(to: Reference<string>, actions: SqliteUuidReference): Text;
function optionalForeignKey(
  to: () => AnySQLiteColumn,
  { type, ...actions }: Partial<SqliteUuidReference> = {},
): Integer | Text {
  return type === 'uuid'
    ? text().references(to, definedOf(actions))
    : integer().references(to, definedOf(actions));
}

function definedOf({ onDelete, onUpdate }: SqliteReferenceActions): {
  onDelete?: UpdateDeleteAction;
  onUpdate?: UpdateDeleteAction;
} {
  return { ...(onDelete && { onDelete }), ...(onUpdate && { onUpdate }) };
}
