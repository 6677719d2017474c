import type { Database } from '../database/index.ts';
import type { ColumnDescription } from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import type { Params } from '../sql/index.ts';
import { bindParameters } from './bind-parameters.ts';

/** What `run()` gives in better-sqlite3. */
export interface CompatRunResult {
  /** Rows inserted, updated or deleted. */
  readonly changes: number;
  /** The rowid of the last inserted row; 0 where the statement inserted none. */
  readonly lastInsertRowid: number | bigint;
}

type Form = 'rows' | 'raw' | 'pluck';

/**
 * A statement with the methods of better-sqlite3, each of which gives a promise. It holds no connection: the
 * engine keeps prepared what is used often, so it can be made once and used for ever, by many at once.
 */
export class CompatStatement<Args extends unknown[] = unknown[], Row = unknown> {
  readonly source: string;
  readonly #db: Database;
  #form: Form = 'rows';
  #bound: Params | undefined;

  constructor(db: Database, source: string) {
    if (typeof source !== 'string') throw new UsageError('prepare() takes the text of a statement.');
    this.#db = db;
    this.source = source;
  }

  async run(...args: Args): Promise<CompatRunResult> {
    const { rowsAffected, lastInsertId = 0 } = await this.#db.run(this.source, this.#params(args));
    return { changes: rowsAffected, lastInsertRowid: lastInsertId };
  }

  /** The first row, or undefined. */
  async get(...args: Args): Promise<Row | undefined> {
    if (this.#form === 'rows') return this.#db.get<Row>(this.source, this.#params(args));
    if (this.#form === 'pluck') return this.#db.value<Row>(this.source, this.#params(args));
    return (await this.all(...args))[0];
  }

  async all(...args: Args): Promise<Row[]> {
    const params = this.#params(args);
    if (this.#form === 'rows') return this.#db.all<Row>(this.source, params);
    const rows = await this.#db.arrays(this.source, params);
    return (this.#form === 'raw' ? rows : rows.map((row) => row[0])) as Row[];
  }

  /** The rows one by one, in bounded memory; for a `raw` or `pluck` statement all rows are read first. */
  async *iterate(...args: Args): AsyncGenerator<Row, undefined> {
    if (this.#form === 'rows') yield* this.#db.stream<Row>(this.source, this.#params(args));
    else yield* await this.all(...args);
    return undefined;
  }

  /** Gives the first column of each row instead of the row. */
  pluck(toggle: boolean = true): this {
    return this.#toggle('pluck', toggle);
  }

  /** Gives rows as arrays. */
  raw(toggle: boolean = true): this {
    return this.#toggle('raw', toggle);
  }

  /** Binds parameters once and for all; after that, calls take none. @throws UsageError the second time */
  bind(...args: Args): this {
    if (this.#bound !== undefined) throw new UsageError('This statement already has its parameters.');
    this.#bound = bindParameters(args);
    return this;
  }

  /** What the columns are called, and which columns of which tables they are. */
  async columns(): Promise<readonly ColumnDescription[]> {
    return (await this.#db.describe(this.source)).columns;
  }

  #toggle(form: Form, isOn: boolean): this {
    if (isOn) this.#form = form;
    else if (this.#form === form) this.#form = 'rows';
    return this;
  }

  #params(args: readonly unknown[]): Params {
    if (this.#bound === undefined) return bindParameters(args);
    if (args.length === 0) return this.#bound;
    throw new UsageError('This statement already has its parameters, from bind().');
  }
}
