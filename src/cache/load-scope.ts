import { AsyncLocalStorage } from 'node:async_hooks';
import { ANY_TABLE, tableLabel, UNKNOWN_TABLES, type Label } from './labels.ts';
import type { Version } from './versions.ts';

/** With more tables than this, a change of any table drops the entry. */
const MAX_TABLES = 64;

/** The cache and the database that a load belongs to, by identity. */
export interface ScopeOwner {
  readonly cache: object;
  readonly database: object | undefined;
}

interface ScopeSetup {
  readonly owner: ScopeOwner;
  readonly key: string;
  /** The version that the load sees at least. */
  readonly since: Version;
}

const storage = new AsyncLocalStorage<LoadScope | undefined>();

/** The load in whose async flow this call is made. */
export function currentLoad(): LoadScope | undefined {
  return storage.getStore();
}

/**
 * What one load depends on, found out while it runs: the tables that its statements read, and whatever the
 * cached values that it used depend on.
 */
export class LoadScope {
  readonly owner: ScopeOwner;
  readonly #key: string;
  /** The load that this one is part of. */
  readonly #parent: LoadScope | undefined = storage.getStore();
  /** Transactions in which it read and that may write; each goes when it commits. */
  readonly uncommitted: Set<number> = new Set();
  /** True where a value that it used was read in such a transaction. */
  isPrivate = false;
  #since: Version;
  readonly #tables = new Set<Label>();
  readonly #other = new Set<Label>();
  #isUnknown = false;
  /** Statements that began and have not ended. */
  #underWay = 0;

  constructor({ owner, key, since }: ScopeSetup) {
    this.owner = owner;
    this.#key = key;
    this.#since = since;
  }

  /** What it returned is at least as new as that. */
  get since(): Version {
    return this.#since;
  }

  /** True where this is the load of that key, or part of it: waiting for it would never end. */
  isWithin(cache: object, key: string): boolean {
    if (this.owner.cache === cache && this.#key === key) return true;
    return this.#parent?.isWithin(cache, key) ?? false;
  }

  run<T>(load: () => T): T {
    return storage.run(this, load);
  }

  statementBegan(): void {
    this.#underWay += 1;
  }

  /** @param tables undefined: it is not known which */
  statementEnded(tables: readonly string[] | undefined): void {
    this.#underWay -= 1;
    if (tables === undefined) this.#isUnknown = true;
    else for (const table of tables) this.#tables.add(tableLabel(table));
  }

  /** It read in a transaction that sees the database as it was then. */
  sawSince(since: Version): void {
    if (since < this.#since) this.#since = since;
  }

  /** A cached value was used: what it depends on, this load depends on. */
  include(labels: Iterable<Label>, { cache, database }: ScopeOwner): void {
    const isOwn = cache === this.owner.cache;
    const sharesTables = database !== undefined && database === this.owner.database;
    for (const label of labels) {
      const isTable = label.startsWith('t');
      if (label === UNKNOWN_TABLES) this.#isUnknown ||= sharesTables;
      else if (isTable && sharesTables) this.#tables.add(label);
      else if (!isTable && label !== ANY_TABLE && isOwn) this.#other.add(label);
    }
  }

  /** To be asked when the load has ended. */
  labels(): Label[] {
    // A statement that is still under way (a stream that was left) has not said what it reads.
    const isUnknown = this.#isUnknown || this.#underWay > 0 || this.#tables.size > MAX_TABLES;
    if (isUnknown) return [...this.#other, UNKNOWN_TABLES, ANY_TABLE];
    if (this.#tables.size === 0) return [...this.#other];
    return [...this.#other, ...this.#tables, ANY_TABLE];
  }
}
