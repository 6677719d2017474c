import type { Queryable, StatementDescription } from '../driver/index.ts';
import type { Dialect } from '../sql/index.ts';

/** What queries are bound to: a `Database` of millpond, or whatever has its calls. */
export interface QueryDatabase extends Queryable {
  readonly dialect: Dialect;
  describe(text: string): Promise<StatementDescription>;
}

/** What is asked of a cache that queries with `-- cache:` go through. */
export interface QueryCache {
  /** Gives what is kept for this call, or else what `load` gives. */
  query<T>(call: CachedCall, load: () => Promise<T>): Promise<T>;
}

/** A call that may be answered from a cache. */
export interface CachedCall {
  /** `jobs.getJobById`. */
  readonly name: string;
  readonly sql: string;
  readonly params: readonly unknown[];
  /** From `-- cache:`. */
  readonly ttlMs: number;
  /** From `-- tags:`. */
  readonly tags: readonly string[];
}
