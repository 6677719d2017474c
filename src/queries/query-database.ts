import type { Queryable, StatementDescription } from '../driver/index.ts';
import type { Dialect } from '../sql/index.ts';

/** What queries are bound to: a `Database` of millpond, or whatever has its calls. */
export interface QueryDatabase extends Queryable {
  readonly dialect: Dialect;
  describe(text: string): Promise<StatementDescription>;
}

/** What is asked of a cache that queries with `-- cache:` go through; the one of `millpond/cache` has it. */
export interface QueryCache {
  /** Gives what is kept under the key, or else what `load` gives. */
  getOrSet<T>(key: unknown, load: () => Promise<T>, options: CachedQuery): Promise<T>;
  /** Drops what has one of these tags; inside a transaction, after its COMMIT. */
  invalidateTags(...tags: string[]): Promise<void>;
}

/** What the file says of a query that may be answered from a cache. */
export interface CachedQuery {
  /** `jobs.getJobById`. */
  readonly name: string;
  /** From `-- cache:`. */
  readonly ttlMs: number;
  /** From `-- tags:`. */
  readonly tags: readonly string[];
}
