import type { HasDefault, HasRuntimeDefault, IsIdentity, IsPrimaryKey, NotNull } from 'drizzle-orm';
import {
  bigint,
  timestamp,
  uuid,
  type AnyPgColumn,
  type PgBigInt53BuilderInitial,
  type PgTimestampBuilderInitial,
  type PgUUIDBuilderInitial,
  type UpdateDeleteAction,
} from 'drizzle-orm/pg-core';
import { nextVersion, notDeleted, now } from './column-roles.ts';
import { uuidV7 } from './uuid-v7.ts';

type Bigint = PgBigInt53BuilderInitial<''>;
type Uuid = PgUUIDBuilderInitial<''>;
type Timestamp<Name extends string> = HasDefault<NotNull<PgTimestampBuilderInitial<Name>>>;

/** What happens to a row when the row that it refers to is deleted, or gets another key. */
interface PostgresReferenceActions {
  /** @default 'no action': the delete is refused */
  readonly onDelete?: UpdateDeleteAction | undefined;
  readonly onUpdate?: UpdateDeleteAction | undefined;
}

/** A column that refers to a `uuid()` instead of an `id()`. */
interface PostgresUuidReference extends PostgresReferenceActions {
  readonly type: 'uuid';
}

/** A `Date` has no finer time; with the default of µs a page's cursor would lose its place. */
const TO_THE_MS = { withTimezone: true, precision: 3 } as const;

type Reference<Data> = () => AnyPgColumn<{ data: Data }>;

/** Columns with the same meaning as `sqlite`', in PostgreSQL's types. */
export interface PostgresColumns {
  /** The primary key: a bigint that the database counts up, read as a number. */
  id(): IsIdentity<IsPrimaryKey<NotNull<Bigint>>, 'byDefault'>;
  /** The primary key: a UUID of version 7, made by the program when a row has none. */
  uuid(): HasRuntimeDefault<HasDefault<IsPrimaryKey<NotNull<Uuid>>>>;
  /**
   * `...timestamps()`: `createdAt` and `updatedAt`, timestamptz to the ms. The database sets both when a row
   * is inserted without them; drizzle and repositories renew `updatedAt` with each update.
   */
  timestamps(): { createdAt: Timestamp<'created_at'>; updatedAt: HasDefault<Timestamp<'updated_at'>> };
  /** `authorId: foreignKey(() => users.id, { onDelete: 'cascade' })`: a row that must be there. */
  foreignKey(to: Reference<number>, actions?: PostgresReferenceActions): NotNull<Bigint>;
  foreignKey(to: Reference<string>, actions: PostgresUuidReference): NotNull<Uuid>;
  /** The same, or null. */
  optionalForeignKey(to: Reference<number>, actions?: PostgresReferenceActions): Bigint;
  optionalForeignKey(to: Reference<string>, actions: PostgresUuidReference): Uuid;
  /** Counts a row's updates from 1: a repository's `update` with an older one than the row's is refused. */
  version(): HasDefault<HasDefault<NotNull<Bigint>>>;
  /** `deletedAt: softDelete()`: when the row was deleted, or null. Repositories mark rows with it. */
  softDelete(): HasRuntimeDefault<HasDefault<PgTimestampBuilderInitial<''>>>;
}

/** The helpers for `pgTable()`. */
export const postgres: PostgresColumns = {
  id: () => bigint({ mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
  uuid: () => uuid().primaryKey().$defaultFn(uuidV7),
  timestamps: () => ({
    createdAt: timestamp('created_at', TO_THE_MS).notNull().defaultNow(),
    updatedAt: timestamp('updated_at', TO_THE_MS).notNull().defaultNow().$onUpdateFn(now),
  }),
  foreignKey,
  optionalForeignKey,
  version: () => bigint({ mode: 'number' }).notNull().default(1).$onUpdateFn(nextVersion),
  softDelete: () => timestamp(TO_THE_MS).$defaultFn(notDeleted),
};

function foreignKey(to: Reference<number>, actions?: PostgresReferenceActions): NotNull<Bigint>;
function foreignKey(to: Reference<string>, actions: PostgresUuidReference): NotNull<Uuid>;
function foreignKey(
  to: () => AnyPgColumn,
  { type, ...actions }: Partial<PostgresUuidReference> = {},
): NotNull<Bigint> | NotNull<Uuid> {
  return type === 'uuid'
    ? uuid().notNull().references(to, definedOf(actions))
    : bigint({ mode: 'number' }).notNull().references(to, definedOf(actions));
}

function optionalForeignKey(to: Reference<number>, actions?: PostgresReferenceActions): Bigint;
function optionalForeignKey(to: Reference<string>, actions: PostgresUuidReference): Uuid;
function optionalForeignKey(
  to: () => AnyPgColumn,
  { type, ...actions }: Partial<PostgresUuidReference> = {},
): Bigint | Uuid {
  return type === 'uuid'
    ? uuid().references(to, definedOf(actions))
    : bigint({ mode: 'number' }).references(to, definedOf(actions));
}

function definedOf({ onDelete, onUpdate }: PostgresReferenceActions): {
  onDelete?: UpdateDeleteAction;
  onUpdate?: UpdateDeleteAction;
} {
  return { ...(onDelete && { onDelete }), ...(onUpdate && { onUpdate }) };
}
