import { UsageError } from '../errors/index.ts';
import { constants } from './binding.ts';

/** What one statement does, as SQLite's own parser reports it: triggers, views and cascades included. */
export interface StatementAnalysis {
  readonly writes: boolean;
  /** True when it can only run on a connection that may write to the schema. */
  readonly changesSchema: boolean;
  /** True for pragmas: their answer is about the connection that runs them. */
  readonly inspectsConnection: boolean;
  /**
   * The table whose new rowid `lastInsertId` would be; undefined where the rowid could be somebody else's.
   */
  readonly insertsInto: string | undefined;
  readonly tablesRead: readonly string[];
  /** True where its answer may depend on more than those: SQLite reports what is named in the text. */
  readonly readsUnnamed: boolean;
  readonly tablesWritten: readonly string[];
}

/** Pragmas that only read. Those that change a connection belong to the configuration; see docs/sqlite.md. */
const READING_PRAGMAS = new Set([
  'application_id',
  'auto_vacuum',
  'busy_timeout',
  'cache_size',
  'collation_list',
  'compile_options',
  'data_version',
  'database_list',
  'encoding',
  'foreign_key_check',
  'foreign_key_list',
  'foreign_keys',
  'freelist_count',
  'function_list',
  'index_info',
  'index_list',
  'index_xinfo',
  'integrity_check',
  'journal_mode',
  'journal_size_limit',
  'max_page_count',
  'mmap_size',
  'module_list',
  'page_count',
  'page_size',
  'pragma_list',
  'quick_check',
  'schema_version',
  'synchronous',
  'table_info',
  'table_list',
  'table_xinfo',
  'temp_store',
  'trusted_schema',
  'user_version',
  'wal_autocheckpoint',
]);

/** Those among them whose argument says what to read. An argument to any other would change something. */
const PRAGMAS_WITH_SUBJECT = new Set([
  'foreign_key_check',
  'foreign_key_list',
  'index_info',
  'index_list',
  'index_xinfo',
  'integrity_check',
  'quick_check',
  'table_info',
  'table_list',
  'table_xinfo',
]);

/**
 * Numbers in the file's header that are the application's own: writing them is an ordinary, transactional
 * write.
 */
const WRITABLE_PRAGMAS = new Set(['application_id', 'user_version']);

const SCHEMA_ACTIONS = new Set([
  constants.SQLITE_CREATE_INDEX,
  constants.SQLITE_CREATE_TABLE,
  constants.SQLITE_CREATE_TRIGGER,
  constants.SQLITE_CREATE_VIEW,
  constants.SQLITE_CREATE_VTABLE,
  constants.SQLITE_DROP_INDEX,
  constants.SQLITE_DROP_TABLE,
  constants.SQLITE_DROP_TRIGGER,
  constants.SQLITE_DROP_VIEW,
  constants.SQLITE_DROP_VTABLE,
  constants.SQLITE_ALTER_TABLE,
  constants.SQLITE_REINDEX,
  constants.SQLITE_ANALYZE,
]);

const TEMPORARY_ACTIONS = new Set([
  constants.SQLITE_CREATE_TEMP_INDEX,
  constants.SQLITE_CREATE_TEMP_TABLE,
  constants.SQLITE_CREATE_TEMP_TRIGGER,
  constants.SQLITE_CREATE_TEMP_VIEW,
]);

/**
 * Collects what the authorizer callbacks say about the statement being prepared, and refuses what would
 * change the connection behind the pool's back. Codes and arguments:
 * https://sqlite.org/c3ref/c_alter_table.html
 */
export class StatementAnalyzer {
  /** How many callbacks came so far. Callbacks while a statement runs mean that SQLite prepared it again. */
  callbacks = 0;
  /** How many changes of the schema were noticed so far. */
  schemaChanges = 0;
  /** True while the engine itself controls the connection: BEGIN, COMMIT, pragmas, ATTACH. */
  trusted = false;

  readonly #behind: (tables: readonly string[]) => readonly string[] | undefined;
  #tablesRead = new Set<string>();
  #tablesWritten = new Set<string>();
  #inserted: string | undefined;
  #updated = new Set<string>();
  #changesSchema = false;
  #inspectsConnection = false;
  #readsUnnamed = false;
  #columnsVersions = 0;
  #actions = 0;

  /** @param behind the tables that those which are read show, too; undefined where that is not known */
  constructor(behind: (tables: readonly string[]) => readonly string[] | undefined) {
    this.#behind = behind;
  }

  /** To be given to `setAuthorizer`. Throws what the caller of `prepare` should see. */
  // oxlint-disable-next-line max-params -- SQLite calls it so
  readonly authorize = (
    action: number,
    first: string | null,
    second: string | null,
    _schema: string | null,
    trigger: string | null,
  ): number => {
    this.callbacks += 1;
    if (this.trusted) return constants.SQLITE_OK;
    this.#actions += 1;
    this.#note(action, first ?? '', second, trigger);
    return constants.SQLITE_OK;
  };

  /** True when the statement being analyzed has been reported to write so far. */
  get sawWrite(): boolean {
    return this.#tablesWritten.size > 0 || this.#changesSchema;
  }

  /** A number that no other version of columns on this connection has had. */
  nextColumnsVersion(): number {
    this.#columnsVersions += 1;
    return this.#columnsVersions;
  }

  /** Starts a new statement. */
  reset(): void {
    this.#tablesRead = new Set();
    this.#tablesWritten = new Set();
    this.#updated = new Set();
    this.#inserted = undefined;
    this.#changesSchema = false;
    this.#inspectsConnection = false;
    this.#readsUnnamed = false;
    this.#actions = 0;
  }

  /** @throws UsageError for VACUUM, the one statement about which SQLite reports nothing at all. */
  result(): StatementAnalysis {
    if (this.#actions === 0) {
      throw new UsageError(
        'SQLite reports nothing about this statement, so it cannot be placed. VACUUM and REINDEX rewrite ' +
          'much of the file and keep all others out: run them while the service is down. ' +
          'For a copy there is db.backup(path).',
      );
    }
    const inserted = this.#inserted;
    const read = [...this.#tablesRead];
    const behind = this.#behind(read);
    return {
      writes: this.sawWrite,
      changesSchema: this.#changesSchema,
      inspectsConnection: this.#inspectsConnection,
      // After "on conflict do update" the last rowid may be that of an earlier insert, by somebody else.
      insertsInto: inserted !== undefined && !this.#updated.has(inserted) ? inserted : undefined,
      tablesRead: [...new Set([...read, ...(behind ?? [])])],
      readsUnnamed: this.#readsUnnamed || behind === undefined,
      tablesWritten: [...this.#tablesWritten],
    };
  }

  #note(action: number, first: string, second: string | null, trigger: string | null): void {
    switch (action) {
      case constants.SQLITE_READ:
        if (!isSchemaTable(first)) this.#tablesRead.add(first);
        if (isOwnTable(first)) this.#readsUnnamed = true;
        return;
      case constants.SQLITE_INSERT:
        if (trigger === null && !isSchemaTable(first)) this.#inserted ??= first;
        this.#noteWrite(first);
        return;
      case constants.SQLITE_UPDATE:
        if (trigger === null) this.#updated.add(first);
        this.#noteWrite(first);
        return;
      case constants.SQLITE_DELETE:
        this.#noteWrite(first);
        return;
      case constants.SQLITE_PRAGMA:
        this.#notePragma(first.toLowerCase(), second);
        return;
      case constants.SQLITE_TRANSACTION:
      case constants.SQLITE_SAVEPOINT:
        throw transactionControlError(action === constants.SQLITE_SAVEPOINT ? `SAVEPOINT (${first})` : first);
      case constants.SQLITE_ATTACH:
      case constants.SQLITE_DETACH:
        throw new UsageError(
          'ATTACH and DETACH change one connection of the pool and not the others. Open the other file as ' +
            "a database of its own: await openDatabase('sqlite:other.db', { name: 'other' })",
        );
      default:
        this.#noteSchemaAction(action);
    }
  }

  #noteWrite(table: string): void {
    if (isSchemaTable(table)) this.#changesSchema = true;
    else this.#tablesWritten.add(table);
  }

  #notePragma(name: string, argument: string | null): void {
    this.#inspectsConnection = true;
    this.#readsUnnamed = true;
    if (argument === null && READING_PRAGMAS.has(name)) return;
    if (argument !== null && PRAGMAS_WITH_SUBJECT.has(name)) return;
    if (argument !== null && WRITABLE_PRAGMAS.has(name)) {
      this.#changesSchema = true;
      return;
    }
    throw new UsageError(
      `"pragma ${name}" would change one connection of the pool and not the others, so it is refused. ` +
        'Connection settings belong to the configuration (see docs/configuration.md).',
    );
  }

  #noteSchemaAction(action: number): void {
    if (SCHEMA_ACTIONS.has(action)) this.#changesSchema = true;
    if (TEMPORARY_ACTIONS.has(action)) {
      throw new UsageError(
        'Temporary tables, views and triggers exist on one connection only, and the next statement may run ' +
          'on another. Use a common table expression, or an ordinary table.',
      );
    }
  }
}

function isSchemaTable(name: string): boolean {
  return name === 'sqlite_master' || name === 'sqlite_temp_master' || name === 'sqlite_schema';
}

/**
 * What SQLite keeps up by itself, without a word: the schema, sequences, statistics, and what pragmas show.
 */
function isOwnTable(name: string): boolean {
  return name.startsWith('sqlite_') || name.startsWith('pragma_') || name === 'dbstat';
}

function transactionControlError(verb: string): UsageError {
  return new UsageError(
    `${verb} cannot be run as SQL: it would change a transaction that others may share. ` +
      'Use db.transaction(…), db.begin() or db.batch([…]).',
  );
}
