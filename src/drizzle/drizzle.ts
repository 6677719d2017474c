import {
  createTableRelationsHelpers,
  extractTablesRelationalConfig,
  getTableColumns,
  is,
  type Casing,
  type RelationalSchemaConfig,
  type TablesRelationalConfig,
} from 'drizzle-orm';
import { PgDialect, PgTable } from 'drizzle-orm/pg-core';
import { SQLiteAsyncDialect, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Database } from '../database/index.ts';
import type { CallOptions } from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import type { Dialect } from '../sql/index.ts';
import { isMomentAsText } from './column-roles.ts';
import { PostgresDrizzle } from './postgres-drizzle.ts';
import { databaseScope } from './scope.ts';
import { SqliteDrizzle } from './sqlite-drizzle.ts';

type Schema = Record<string, unknown>;

/** Options of `drizzle()`. */
export interface DrizzleOptions<S extends Schema = Record<string, never>> {
  /** Tables and relations: gives `db.query.users.findMany()`. */
  readonly schema?: S;
  /** How columns without a name of their own are named after their keys. @default as they are */
  readonly casing?: Casing | undefined;
  /** Whose types the object has; must be the database's. @default the schema's, without one 'sqlite' */
  readonly dialect?: Dialect | undefined;
  /** Where selects, counts and relational queries run, outside of transactions. @default 'primary' */
  readonly target?: CallOptions['target'];
}

/** The drizzle object for a schema: PostgreSQL's when a table of it is PostgreSQL's. */
export type DrizzleOf<S extends Schema> =
  Extract<S[keyof S], PgTable> extends never ? SqliteDrizzle<S> : PostgresDrizzle<S>;

/**
 * Drizzle over a millpond database: its statements join the running transaction automatically, and have the
 * same limits, fence, events and errors as all others. Cheap to make; holds nothing.
 * @throws UsageError when the schema is for the other dialect than the database
 */
export function drizzle<S extends Schema = Record<string, never>>(
  db: Database,
  options: DrizzleOptions<S> & { readonly dialect: 'postgres' },
): PostgresDrizzle<S>;
export function drizzle<S extends Schema = Record<string, never>>(
  db: Database,
  options: DrizzleOptions<S> & { readonly dialect: 'sqlite' },
): SqliteDrizzle<S>;
export function drizzle<S extends Schema = Record<string, never>>(
  db: Database,
  options?: DrizzleOptions<S>,
): DrizzleOf<S>;
export function drizzle<S extends Schema>(
  db: Database,
  options: DrizzleOptions<S> = {},
): SqliteDrizzle<S> | PostgresDrizzle<S> {
  assertDialect(db, options);
  const { schema: tables, casing, target } = options;
  const scope = databaseScope(db);
  const schema = tables === undefined ? undefined : relationsOf(tables);
  const config = casing === undefined ? {} : { casing };
  const reads = target === undefined ? {} : { target };
  return db.dialect === 'postgres'
    ? new PostgresDrizzle<S>(
        { dialect: new PgDialect(config), schema, reads, hasMomentTexts: hasMomentTexts(tables) },
        scope,
      )
    : new SqliteDrizzle<S>({ dialect: new SQLiteAsyncDialect(config), schema, reads }, scope);
}

function hasMomentTexts(tables: Schema = {}): boolean {
  return Object.values(tables).some(
    (table) => is(table, PgTable) && Object.values(getTableColumns(table)).some(isMomentAsText),
  );
}

function relationsOf(tables: Schema): RelationalSchemaConfig<TablesRelationalConfig> {
  const { tables: schema, tableNamesMap } = extractTablesRelationalConfig<TablesRelationalConfig>(
    tables,
    createTableRelationsHelpers,
  );
  return { fullSchema: tables, schema, tableNamesMap };
}

function assertDialect(db: Database, { schema, dialect }: DrizzleOptions<Schema>): void {
  const expected = dialect ?? dialectOf(schema) ?? 'sqlite';
  const isMixed = dialect !== undefined && (dialectOf(schema) ?? dialect) !== dialect;
  if (expected === db.dialect && !isMixed) return;
  throw new UsageError(
    `drizzle() was asked for ${expected}, and the database "${db.name}" is ${db.dialect}: ` +
      `give it a schema of ${db.dialect} tables, or without a schema { dialect: '${db.dialect}' }.`,
  );
}

function dialectOf(schema: Schema = {}): Dialect | undefined {
  const tables = Object.values(schema);
  if (tables.some((table) => is(table, PgTable))) return 'postgres';
  return tables.some((table) => is(table, SQLiteTable)) ? 'sqlite' : undefined;
}
