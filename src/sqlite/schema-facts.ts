import type { DatabaseSync } from './binding.ts';

/** Runs text of the engine's own. */
type Trusted = <T>(work: (database: DatabaseSync) => T) => T;

/** What is known of the tables, looked up when it is asked for and forgotten when the schema changes. */
export class SchemaFacts {
  readonly #trusted: Trusted;
  /** By table name. */
  readonly #hasRowid = new Map<string, boolean>();
  #deferring: ReadonlySet<string> | undefined;
  #windows: ReadonlyMap<string, Window> | undefined;

  constructor(trusted: Trusted) {
    this.#trusted = trusted;
  }

  forget(): void {
    this.#hasRowid.clear();
    this.#deferring = undefined;
    this.#windows = undefined;
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

  /**
   * Tables whose rows a statement sees though it does not name them: those that the definition of a virtual
   * table names, as FTS5 does with `content=`. Undefined where they cannot be told: what is behind a view or
   * another virtual table, or in a table in which a virtual one keeps its own, unless that is read, too.
   */
  behind(tables: readonly string[]): readonly string[] | undefined {
    const windows = (this.#windows ??= this.#findWindows());
    if (windows.size === 0) return [];
    const names = tables.map((table) => table.toLowerCase());
    const found: string[] = [];
    for (const name of names) {
      const window = windows.get(name) ?? [];
      const isOwners = window === 'shadow' && names.some((owner) => name.startsWith(`${owner}_`));
      if (typeof window !== 'string') found.push(...window);
      else if (!isOwners) return undefined;
    }
    return found;
  }

  #findWindows(): ReadonlyMap<string, Window> {
    const rowsOf = (query: string): NamedRow[] =>
      this.#trusted((database) => database.prepare(query).all() as NamedRow[]);
    const virtual = rowsOf(VIRTUAL_TABLES);
    if (virtual.length === 0) return new Map();
    const [names, shadows] = [rowsOf(NAMES), rowsOf(SHADOW_TABLES)];
    const windowOf = (table: NamedRow): Window => {
      const named = names.filter(({ name }) => mentions(table, name.toLowerCase()));
      return named.every(({ isPlain }) => isPlain === 1) ? named.map(({ name }) => name) : 'unknown';
    };
    return new Map([
      ...shadows.map(({ name }) => [name, 'shadow'] as const),
      ...virtual.map((table) => [table.name, windowOf(table)] as const),
    ]);
  }
}

/** What a virtual table shows of others, or that a table holds what is a virtual table's own. */
type Window = readonly string[] | 'unknown' | 'shadow';

type NamedRow = Readonly<Record<'name' | 'sql', string>> & { readonly isPlain?: number };

/** A virtual table has no page of its own. */
const VIRTUAL_TABLES = `select lower(name) as name, lower(sql) as sql from sqlite_schema
  where type = 'table' and rootpage = 0`;
const NAMES = `select name, type = 'table' and rootpage > 0 as isPlain from sqlite_schema
  where type in ('table', 'view')`;
const SHADOW_TABLES = `select lower(name) as name from pragma_table_list
  where type = 'shadow' and schema = 'main'`;

/** Of these modules, what stands before an equals sign or without one names columns of their own. */
const OWN_COLUMNS = /^using\s+(?:fts[345]|rtree\w*)\b/;

/** Whether the definition of a virtual table names a table. It may be something else of that name. */
function mentions({ name: own, sql }: NamedRow, name: string): boolean {
  if (name === own) return false;
  const definition = sql.slice(sql.indexOf('using'));
  const values = [...definition.matchAll(/=([^,)]*)/g)].map(([, value]) => value);
  const text = OWN_COLUMNS.test(definition) ? values.join(' ') : definition;
  return text.includes(name) && (!/^\w+$/.test(name) || new RegExp(`\\b${name}\\b`).test(text));
}
