import { INTEGER, NULL, type StoredColumn } from './abstract-value.ts';
import type { ShapeSource } from './query-shape.ts';
import { readDeclaredType } from './sqlite-types.ts';

/** A tree of the file: a table, or an index. By the number of a field in its records. */
export interface StoredTree {
  /** True for an index whose first field goes up, so that NULL comes first. */
  readonly isAscendingIndex: boolean;
  readonly fields: readonly (StoredColumn | undefined)[];
}

/** The rowid, which is never NULL. */
export const ROWID: StoredColumn = { name: 'rowid', classes: INTEGER, bindable: 'number | bigint' };

interface ObjectRow {
  readonly type: string;
  readonly name: string;
  readonly tbl_name: string;
  readonly rootpage: number;
}

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly pk: number;
  readonly hidden: number;
}

interface IndexRow {
  readonly seqno: number;
  readonly cid: number;
  readonly desc: number;
}

interface Table {
  readonly columns: readonly StoredColumn[];
  readonly isVirtual: readonly boolean[];
  readonly hasRowid: boolean;
  /** The INTEGER PRIMARY KEY, which is the rowid. */
  readonly rowidAlias: number;
}

/** The tables and indexes of a SQLite database by their root pages, as its instructions name them. */
export async function readSqliteTrees(source: ShapeSource): Promise<ReadonlyMap<number, StoredTree>> {
  const objects = await source.all<ObjectRow>(
    `select type, name, tbl_name, rootpage from sqlite_schema
      where type in ('table', 'index') and rootpage > 0`,
  );
  const tables = new Map<string, Table>();
  const trees = new Map<number, StoredTree>();
  for (const { type, name, rootpage } of objects) {
    if (type !== 'table') continue;
    const table = await readTable(source, name);
    tables.set(name, table);
    trees.set(rootpage, await treeOfTable(source, name, table));
  }
  for (const { type, name, tbl_name: tableName, rootpage } of objects) {
    const table = tables.get(tableName);
    if (type === 'index' && table !== undefined) trees.set(rootpage, await treeOfIndex(source, name, table));
  }
  return trees;
}

async function readTable(source: ShapeSource, name: string): Promise<Table> {
  const rows = await source.all<ColumnRow>(
    'select name, type, "notnull", pk, hidden from pragma_table_xinfo(?1)',
    [name],
  );
  const [facts] = await source.all<{ wr: number }>(
    "select wr from pragma_table_list where schema = 'main' and name = ?1",
    [name],
  );
  const hasRowid = facts?.wr === 0;
  const keys = rows.filter(({ pk }) => pk > 0);
  // https://sqlite.org/lang_createtable.html#rowids_and_the_integer_primary_key
  const isAlias = hasRowid && keys.length === 1 && keys[0]!.type.toUpperCase() === 'INTEGER';
  return {
    columns: rows.map((row) => storedColumn(row, !hasRowid || isAlias)),
    isVirtual: rows.map(({ hidden }) => hidden === 2),
    hasRowid,
    rowidAlias: isAlias ? rows.indexOf(keys[0]!) : -1,
  };
}

/** Other primary keys may hold NULL: https://sqlite.org/lang_createtable.html#the_primary_key */
function storedColumn({ name, type, notnull, pk }: ColumnRow, isKeyNotNull: boolean): StoredColumn {
  const { classes, bindable } = readDeclaredType(type);
  const isNotNull = notnull === 1 || (pk > 0 && isKeyNotNull);
  return { name, classes: isNotNull ? classes : classes | NULL, bindable };
}

async function treeOfTable(source: ShapeSource, name: string, table: Table): Promise<StoredTree> {
  if (!table.hasRowid) {
    const [key] = await source.all<{ name: string }>(
      "select name from pragma_index_list(?1) where origin = 'pk'",
      [name],
    );
    return key === undefined ? { isAscendingIndex: false, fields: [] } : treeOfIndex(source, key.name, table);
  }
  const { columns, isVirtual, rowidAlias } = table;
  // Generated columns that are not stored come behind all others, and the rowid's own field is NULL.
  const stored = columns.filter((_, index) => isVirtual[index] !== true);
  const alias = columns[rowidAlias];
  return { isAscendingIndex: false, fields: stored.map((column) => (column === alias ? undefined : column)) };
}

async function treeOfIndex(source: ShapeSource, name: string, table: Table): Promise<StoredTree> {
  const rows = await source.all<IndexRow>(
    'select seqno, cid, "desc" from pragma_index_xinfo(?1) order by seqno',
    [name],
  );
  return {
    isAscendingIndex: rows[0]?.desc === 0,
    fields: rows.map(({ cid }) => (cid === -1 ? ROWID : table.columns[cid])),
  };
}
