import type { CallOptions } from '../driver/index.ts';
import { SqlFileError } from '../errors/index.ts';
import {
  fullName,
  fullVariant,
  renderQuery,
  type Slot,
  type SqlQuery,
  type Variant,
} from '../sqlfile/index.ts';
import type { QueryCache, QueryDatabase } from './query-database.ts';
import { plainWrites } from './plain-writes.ts';
import { ParamsReader, type QueryParams } from './read-params.ts';

/** Texts of one query that are kept. Each is short to make again. */
const MOST_TEXTS = 256;

interface ReadyText {
  readonly text: string;
  readonly slots: readonly Slot[];
}

type Call = (text: string, values: unknown[], options: CallOptions) => Promise<unknown>;

/** One query, bound to a database: reads its caller's parameters and makes the call. */
export class QueryCaller {
  readonly query: SqlQuery;
  readonly name: string;
  readonly #db: QueryDatabase;
  readonly #cache: QueryCache | undefined;
  readonly #params: ParamsReader;
  readonly #options: CallOptions;
  /** The text with everything in it; the only one of most queries. */
  readonly #full: ReadyText;
  readonly #texts = new Map<string, ReadyText>();
  #columns: Promise<readonly string[]> | undefined;
  #writes: Promise<readonly string[] | undefined> | undefined;

  constructor(query: SqlQuery, db: QueryDatabase, cache: QueryCache | undefined) {
    const { definition } = query;
    this.query = query;
    this.name = fullName(query);
    this.#db = db;
    this.#cache = cache;
    this.#params = new ParamsReader(this.name, definition);
    const { timeoutMs, target } = definition;
    this.#options = Object.freeze({
      name: this.name,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(target !== undefined && { target }),
    });
    this.#full = renderQuery(definition, db.dialect, fullVariant(definition));
  }

  get sql(): string {
    return this.#full.text;
  }

  /** The function that callers get. Faults in what they pass reject; nothing is thrown at the call. */
  function(): (params?: never, options?: CallOptions) => unknown {
    const db = this.#db;
    switch (this.query.definition.operation) {
      case 'many':
        return this.#reading((text, values, options) => db.all(text, values, options));
      case 'one':
        return this.#reading((text, values, options) => db.get(text, values, options));
      case 'value':
        return this.#reading((text, values, options) => db.value(text, values, options));
      case 'affected':
        return this.#rejecting((text, values, options) => this.#affected(text, values, options));
      case 'returning':
        return this.#rejecting((text, values, options) =>
          this.#invalidating(this.#returning(text, values, options)),
        );
      case 'each':
        return async (items: readonly QueryParams[] = [], options?: CallOptions) =>
          this.#invalidating(this.#each(this.#params.list(items), options));
      case 'script':
        return async (params?: QueryParams, options?: CallOptions) => {
          // It has none, and says so.
          this.#statement(params);
          return this.#invalidating(this.#script(this.#optionsWith(options)));
        };
    }
  }

  stream(params: QueryParams | undefined, options: CallOptions | undefined): AsyncIterableIterator<unknown> {
    const { text, values } = this.#statement(params);
    return this.#db.stream(text, values, this.#optionsWith(options));
  }

  async json(
    params: QueryParams | undefined,
    options: CallOptions | undefined,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { text, values } = this.#statement(params);
    return this.#db.json(text, values, this.#optionsWith(options));
  }

  /** Through the cache, where there is one for it: most queries pay nothing for the question. */
  #reading(call: Call): (params?: QueryParams, options?: CallOptions) => Promise<unknown> {
    const { cacheMs, tags } = this.query.definition;
    const cache = this.#cache;
    if (cache === undefined || cacheMs === undefined) return this.#rejecting(call);
    const entry = { name: this.name, ttlMs: cacheMs, tags };
    return this.#rejecting((text, values, options) =>
      cache.getOrSet([this.name, text, values], () => call(text, values, options), entry),
    );
  }

  #rejecting(call: Call): (params?: QueryParams, options?: CallOptions) => Promise<unknown> {
    const reader = this.#params;
    const { text } = this.#full;
    if (!reader.isFlat) {
      return async (params, options) => {
        const statement = this.#statement(params);
        return call(statement.text, statement.values, this.#optionsWith(options));
      };
    }
    return (params, options) => {
      try {
        return call(
          text,
          reader.flatValues(params),
          options === undefined ? this.#options : this.#optionsWith(options),
        );
      } catch (error) {
        return Promise.reject(error);
      }
    };
  }

  #statement(params: QueryParams | undefined): { readonly text: string; readonly values: unknown[] } {
    if (this.#params.isFlat) return { text: this.#full.text, values: this.#params.flatValues(params) };
    const { text, slots } = this.#textFor(this.#params.variant(params));
    return { text, values: this.#params.values(params, slots) };
  }

  #textFor(variant: Variant): ReadyText {
    const { optionals, choices, listSizes } = variant;
    const key = `${optionals.map(Number).join('')} ${choices.join(' ')} ${[...listSizes.values()].join(' ')}`;
    let ready = this.#texts.get(key);
    if (ready === undefined) {
      if (this.#texts.size >= MOST_TEXTS) this.#texts.delete(this.#texts.keys().next().value!);
      const { text, slots } = renderQuery(this.query.definition, this.#db.dialect, variant);
      this.#texts.set(key, (ready = { text, slots }));
    }
    return ready;
  }

  #optionsWith(options: CallOptions | undefined): CallOptions {
    return options === undefined ? this.#options : { ...this.#options, ...options };
  }

  /** Drops from the cache what a write with tags changes. */
  async #invalidating<T>(write: Promise<T>): Promise<T> {
    const { tags } = this.query.definition;
    const result = await write;
    if (tags.length > 0) await this.#cache?.invalidateTags(...tags);
    return result;
  }

  async #affected(text: string, values: unknown[], options: CallOptions): Promise<number> {
    const { rowsAffected } = await this.#invalidating(this.#db.run(text, values, options));
    return rowsAffected;
  }

  async #each(items: readonly QueryParams[], options: CallOptions | undefined): Promise<number> {
    const statements = items.map((params) => {
      const { text, values } = this.#statement(params);
      return [text, values] as const;
    });
    if (statements.length === 0) return 0;
    const results = await this.#db.batch(statements, this.#optionsWith(options));
    return results.reduce((sum, { rowsAffected }) => sum + rowsAffected, 0);
  }

  /**
   * A script may do anything, and after it everything counts as changed. Where its statements are known to
   * write rows and nothing else they are a batch: in one trip and all or nothing too, and of each is known
   * which tables it changed.
   */
  async #script(options: CallOptions): Promise<void> {
    this.#writes ??= plainWrites(this.#db, this.#full.text);
    const writes = await this.#writes;
    if (writes === undefined) return this.#db.script(this.#full.text, options);
    await this.#db.batch(
      writes.map((text) => [text, []] as const),
      options,
    );
  }

  /** The value or the row that RETURNING gives; without it, on SQLite, the rowid of the inserted row. */
  async #returning(text: string, values: unknown[], options: CallOptions): Promise<unknown> {
    this.#columns ??= this.#describeColumns(text);
    const columns = await this.#columns;
    if (columns.length === 1) return this.#db.value(text, values, options);
    if (columns.length > 1) return this.#db.get(text, values, options);
    return (await this.#db.run(text, values, options)).lastInsertId;
  }

  async #describeColumns(text: string): Promise<readonly string[]> {
    try {
      const { columns } = await this.#db.describe(text);
      if (columns.length > 0 || this.#db.dialect === 'sqlite') return columns.map(({ name }) => name);
    } catch (error) {
      // Asked again on the next call: the schema may exist by then.
      this.#columns = undefined;
      throw error;
    }
    const { source, definition } = this.query;
    const message = `${this.name} is marked <!, which on PostgreSQL needs a RETURNING clause.`;
    throw new SqlFileError([
      source.problem(message, definition.offset, definition.offset + definition.name.length),
    ]);
  }
}
