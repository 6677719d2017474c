import { getTableColumns, getTableName, is, type Column, type Table } from 'drizzle-orm';
import { getTableConfig as getPgTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { getTableConfig as getSqliteTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core';
import { UsageError } from '../errors/index.ts';
import type { Dialect } from '../sql/index.ts';
import { isDeletionMark, isVersion } from './column-roles.ts';

/** What a repository was told about its table. */
export interface GivenFacts {
  readonly key?: string | readonly string[] | undefined;
  readonly version?: string | false | undefined;
  readonly softDelete?: string | false | undefined;
}

/** A table, and the roles of its columns. */
export interface TableFacts {
  readonly table: Table;
  readonly name: string;
  readonly dialect: Dialect;
  /** By their keys in a row. */
  readonly columns: Readonly<Record<string, Column>>;
  /** The columns of the primary key, in its order. */
  readonly key: readonly string[];
  readonly version: string | undefined;
  readonly deleted: string | undefined;
  /** Columns that are renewed by every update, the version aside. */
  readonly renewed: readonly string[];
}

/** @throws UsageError when the key, or another column that is named, is not one of the table's */
export function readTableFacts(table: Table, given: GivenFacts = {}): TableFacts {
  const name = getTableName(table);
  // Without a prototype: a name from a request, such as "constructor", must not be a column.
  const columns = Object.assign(Object.create(null) as Record<string, Column>, getTableColumns(table));
  const keys = Object.keys(columns);
  const version = roleOf(
    given.version,
    keys.find((key) => isVersion(columns[key]!)),
  );
  const deleted = roleOf(
    given.softDelete,
    keys.find((key) => isDeletionMark(columns[key]!)),
  );
  const key = given.key === undefined ? primaryKeyOf(table, columns) : [given.key].flat();
  for (const named of [...key, version, deleted]) {
    if (named === undefined || columns[named] !== undefined) continue;
    throw new UsageError(`The table "${name}" has no column "${named}": columns go by their keys.`);
  }
  assertKey(table, columns, key);
  const renewed = keys.filter((one) => columns[one]!.onUpdateFn !== undefined && one !== version);
  return { table, name, dialect: dialectOf(table), columns, key, version, deleted, renewed };
}

function roleOf(given: string | false | undefined, found: string | undefined): string | undefined {
  return given === false ? undefined : (given ?? found);
}

function dialectOf(table: Table): Dialect {
  if (is(table, SQLiteTable)) return 'sqlite';
  if (is(table, PgTable)) return 'postgres';
  throw new UsageError('A repository is for a table of SQLite or of PostgreSQL.');
}

/** With a key that is not unique, `findById` would find one of several rows. */
function assertKey(table: Table, columns: Readonly<Record<string, Column>>, key: readonly string[]): void {
  const isUnique = key.length === 1 && columns[key[0]!]!.isUnique;
  const primary = primaryKeyOf(table, columns);
  const isPrimary =
    key.length > 0 && primary.length === key.length && primary.every((one) => key.includes(one));
  if (isUnique || isPrimary) return;
  throw new UsageError(
    `The key of a repository is the primary key, or a column that is unique; "${getTableName(table)}" ` +
      (primary.length === 0 ? 'has no primary key.' : `has the primary key (${primary.join(', ')}).`),
  );
}

function primaryKeyOf(table: Table, columns: Readonly<Record<string, Column>>): string[] {
  const single = Object.keys(columns).filter((key) => columns[key]!.primary);
  if (single.length > 0) return single;
  const [composite] = compositeKeysOf(table);
  return (composite?.columns ?? []).map(({ name }) => keyNamed(columns, name));
}

function compositeKeysOf(table: Table): readonly { readonly columns: readonly Column[] }[] {
  if (is(table, SQLiteTable)) return getSqliteTableConfig(table).primaryKeys;
  return is(table, PgTable) ? getPgTableConfig(table).primaryKeys : [];
}

function keyNamed(columns: Readonly<Record<string, Column>>, name: string): string {
  return Object.keys(columns).find((key) => columns[key]!.name === name)!;
}
