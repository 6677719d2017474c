import type { Shape } from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import { DatabaseSync } from './binding.ts';
import { isBusy } from './failure.ts';
import { applyPragmas } from './pragmas.ts';
import type { Bindable } from './parameters.ts';
import { LockPin } from './lock-pin.ts';
import type { RowBuilder, RowShape } from './row-builder.ts';
import type { ConnectionSettings } from './settings.ts';
import { StatementStore, type PreparedStatement } from './statement-store.ts';

/** Setting the pin costs about what it saves on two reads; most bursts are shorter than that. */
const READS_BEFORE_PIN = 3;

/** A statement that the inline reader has prepared, with the constructor of its rows. */
interface InlineStatement {
  readonly prepared: PreparedStatement;
  columnsVersion: number;
  build: RowBuilder;
}

/**
 * A read-only connection on the calling thread: it says what a statement does, and runs those that are known
 * to be cheap. It never waits for a lock.
 *
 * While one burst of reads goes on (one callback of the event loop, with the promise reactions that follow
 * it), a `LockPin` saves each of them the file locks. Every read still sees the newest commit.
 */
export class InlineReader {
  readonly #database: DatabaseSync;
  readonly #store: StatementStore;
  readonly #findShape: (columns: readonly string[]) => RowShape;
  readonly #statements = new WeakMap<PreparedStatement, InlineStatement>();
  readonly #pin: LockPin;
  #readsInBurst = 0;
  #knownSchema: unknown;

  constructor(settings: ConnectionSettings, findShape: (columns: readonly string[]) => RowShape) {
    this.#findShape = findShape;
    this.#database = new DatabaseSync(settings.path, { readOnly: true });
    try {
      applyPragmas(this.#database, { ...settings, busyTimeoutMs: 0 }, 'reader');
      this.#store = new StatementStore(this.#database, settings.statementCacheSize);
      this.#pin = new LockPin(settings.path);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** @throws UsageError, or SQLite's own error */
  prepare(text: string): PreparedStatement {
    try {
      return this.#store.prepare(text);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      // Some faults SQLite finds by the schema as it last saw it, without looking whether it has changed
      // since ("table t has 3 columns but 4 values were supplied").
      this.#lookAtSchema();
      return this.#store.prepare(text);
    }
  }

  /**
   * Forgets what is known of texts if the schema has changed since this was last asked: a new or changed
   * trigger or view makes it wrong. @returns whether it has changed
   */
  refreshSchema(): boolean {
    const version = this.#schemaVersion();
    if (version !== undefined && version === this.#knownSchema) return false;
    this.#knownSchema = version;
    this.#store.clear();
    if (version !== undefined) this.#lookAtSchema();
    return true;
  }

  /** Runs a read. @returns the result in its shape, and how many rows it has */
  read(
    statement: PreparedStatement,
    shape: Exclude<Shape, 'run' | 'json'>,
    params: readonly Bindable[],
  ): unknown {
    this.#enterBurst();
    if (shape === 'value') return statement.get(params)?.[0];
    if (shape === 'arrays') return statement.all(params);
    if (shape === 'all') return this.#toRows(statement, statement.all(params));
    const row = statement.get(params);
    statement.assertDistinctColumns();
    return row === undefined ? undefined : this.#known(statement).build(row, 0);
  }

  close(): void {
    this.#pin.close();
    this.#store.clear();
    this.#database.close();
  }

  /**
   * Running a statement makes SQLite check whether the schema is still the one that this connection knows.
   */
  #lookAtSchema(): void {
    this.#store.trusted((database) => database.prepare('select 1 from sqlite_schema').get());
  }

  /** @returns undefined where the file is locked */
  #schemaVersion(): unknown {
    try {
      const version = this.#store.trusted((database) => database.prepare('pragma schema_version').get());
      return version!['schema_version'];
    } catch (error) {
      if (isBusy(error)) return undefined;
      throw error;
    }
  }

  #toRows(statement: PreparedStatement, rows: readonly (readonly unknown[])[]): Record<string, unknown>[] {
    statement.assertDistinctColumns();
    if (rows.length === 0) return [];
    const { build } = this.#known(statement);
    return rows.map((row) => build(row, 0));
  }

  #known(prepared: PreparedStatement): InlineStatement {
    const known = this.#statements.get(prepared);
    if (known?.columnsVersion === prepared.columnsVersion) return known;
    const fresh = {
      prepared,
      columnsVersion: prepared.columnsVersion,
      build: this.#findShape(prepared.columns).build,
    };
    this.#statements.set(prepared, fresh);
    return fresh;
  }

  #enterBurst(): void {
    this.#readsInBurst += 1;
    if (this.#readsInBurst === 1) process.nextTick(this.#endBurst);
    else if (this.#readsInBurst === READS_BEFORE_PIN) this.#pin.set();
  }

  /** Runs when the callback and all its promise reactions are done. */
  readonly #endBurst = (): void => {
    this.#readsInBurst = 0;
    this.#pin.drop();
  };
}
