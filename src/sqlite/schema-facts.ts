import type { DatabaseSync } from './binding.ts';

/** Runs text of the engine's own. */
type Trusted = <T>(work: (database: DatabaseSync) => T) => T;

/** What is known of the tables, looked up when it is asked for and forgotten when the schema changes. */
export class SchemaFacts {
  readonly #trusted: Trusted;
  /** By table name. */
  readonly #hasRowid = new Map<string, boolean>();
  #deferring: ReadonlySet<string> | undefined;

  constructor(trusted: Trusted) {
    this.#trusted = trusted;
  }

  forget(): void {
    this.#hasRowid.clear();
    this.#deferring = undefined;
  }

  /** False for views, and for tables WITHOUT ROWID: an insert there leaves the last rowid as it was. */
  hasRowid(table: string): boolean {
    const known = this.#hasRowid.get(table);
    if (known !== undefined) return known;
    const query =
      "select 1 from pragma_table_list where schema = 'main' and name = ? and wr = 0 and type <> 'view'";
    const found = this.#trusted((database) => database.prepare(query).get(table) !== undefined);
    this.#hasRowid.set(table, found);
    return found;
  }

  /**
   * The tables with foreign keys that are checked at COMMIT only, and those that they refer to; in lower
   * case. SQLite does not say which keys these are, so a word in the schema has to do, which may find one
   * table too many.
   */
  get deferring(): ReadonlySet<string> {
    this.#deferring ??= this.#trusted((database) => {
      const query = `select lower(t.name) as child, lower(k."table") as parent
        from sqlite_schema as t, pragma_foreign_key_list(t.name) as k
        where t.type = 'table' and t.sql like '%deferred%'`;
      const keys = database.prepare(query).all() as Record<'child' | 'parent', string>[];
      return new Set(keys.flatMap(({ child, parent }) => [child, parent]));
    });
    return this.#deferring;
  }
}
