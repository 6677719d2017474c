import type { Queryable } from '../../driver/index.ts';

/** A column, as SQLite declares it. */
export interface SourceColumn {
  readonly name: string;
  /** As it was written; SQLite takes anything. */
  readonly declared: string;
  readonly isRequired: boolean;
  /** An SQL expression, as it was written. */
  readonly defaultText: string | null;
  /** Its place in the primary key, counted from 1; 0 where it is no part of it. */
  readonly keyPosition: number;
  readonly isGenerated: boolean;
}

export interface SourceIndex {
  readonly name: string;
  readonly isUnique: boolean;
  /**
   * Absent where a part of it is an expression, or it is about some rows only: then its text says what it is.
   */
  readonly columns:
    | readonly { readonly name: string; readonly isDescending: boolean; readonly collation: string }[]
    | undefined;
  /** As it was written; none for the index of a UNIQUE constraint. */
  readonly text: string | null;
}

export interface SourceForeignKey {
  readonly columns: readonly string[];
  readonly parent: string;
  /** Empty: the parent's primary key. */
  readonly parentColumns: readonly string[];
  readonly onUpdate: string;
  readonly onDelete: string;
}

export interface SourceTable {
  readonly name: string;
  readonly text: string;
  readonly columns: readonly SourceColumn[];
  readonly indexes: readonly SourceIndex[];
  readonly foreignKeys: readonly SourceForeignKey[];
}

export interface SourceSchema {
  readonly tables: readonly SourceTable[];
  /** Views, triggers and virtual tables: SQL that is SQLite's own. */
  readonly others: readonly { readonly type: string; readonly name: string }[];
}

/** Reads what a SQLite database declares, from its own pragmas. */
export async function readSchema(db: Queryable): Promise<SourceSchema> {
  const tables = await db.all<{ name: string; text: string }>(
    `select l.name, s.sql as text from pragma_table_list l
     join sqlite_schema s on s.name = l.name and s.type = 'table'
     where l.schema = 'main' and l.type = 'table' and l.name not like 'sqlite\\_%' escape '\\'
     order by s.rootpage`,
  );
  const others = await db.all<{ type: string; name: string }>(
    `select type, name from sqlite_schema where type in ('view', 'trigger')
     union all select 'virtual table', name from pragma_table_list
     where schema = 'main' and type = 'virtual'`,
  );
  const read: SourceTable[] = [];
  for (const { name, text } of tables) {
    read.push({
      name,
      text,
      columns: await readColumns(db, name),
      indexes: await readIndexes(db, name),
      foreignKeys: await readForeignKeys(db, name),
    });
  }
  return { tables: read, others };
}

async function readColumns(db: Queryable, table: string): Promise<SourceColumn[]> {
  const rows = await db.all<{
    name: string;
    type: string;
    notnull: number;
    dflt_value: string | null;
    pk: number;
    hidden: number;
  }>('select name, type, "notnull", dflt_value, pk, hidden from pragma_table_xinfo(:table) order by cid', {
    table,
  });
  return rows.map(({ name, type, notnull, dflt_value: defaultText, pk: keyPosition, hidden }) => ({
    name,
    declared: type,
    isRequired: notnull === 1,
    defaultText,
    keyPosition,
    // 2 is a virtual one, 3 a stored one: https://sqlite.org/pragma.html#pragma_table_xinfo
    isGenerated: hidden >= 2,
  }));
}

async function readIndexes(db: Queryable, table: string): Promise<SourceIndex[]> {
  const list = await db.all<{ name: string; unique: number; partial: number; text: string | null }>(
    `select l.name, l."unique", l.partial, s.sql as text from pragma_index_list(:table) l
     left join sqlite_schema s on s.name = l.name and s.type = 'index'
     where l.origin <> 'pk' order by l.seq desc`,
    { table },
  );
  const indexes: SourceIndex[] = [];
  for (const { name, unique, partial, text } of list) {
    const parts = await db.all<{ name: string | null; desc: number; coll: string }>(
      'select name, "desc", coll from pragma_index_xinfo(:name) where key = 1 order by seqno',
      { name },
    );
    const isPlain = partial === 0 && parts.every((part) => part.name !== null);
    const columns = parts.map((part) => ({
      name: part.name!,
      isDescending: part.desc === 1,
      collation: part.coll,
    }));
    indexes.push({ name, isUnique: unique === 1, columns: isPlain ? columns : undefined, text });
  }
  return indexes;
}

async function readForeignKeys(db: Queryable, table: string): Promise<SourceForeignKey[]> {
  const rows = await db.all<{
    id: number;
    parent: string;
    from: string;
    to: string | null;
    on_update: string;
    on_delete: string;
  }>(
    'select id, "table" as parent, "from", "to", on_update, on_delete from ' +
      'pragma_foreign_key_list(:table) order by id, seq',
    { table },
  );
  const byId = Map.groupBy(rows, ({ id }) => id);
  return [...byId.values()].map((parts) => {
    const [{ parent, on_update: onUpdate, on_delete: onDelete }] = parts as [(typeof parts)[number]];
    return {
      columns: parts.map(({ from }) => from),
      parent,
      parentColumns: parts.flatMap(({ to }) => to ?? []),
      onUpdate,
      onDelete,
    };
  });
}
