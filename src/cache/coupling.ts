import type { Database } from '../database/index.ts';
import type { EventOf } from '../events/index.ts';
import { isInWritingTransaction, isOutsideTransactions, onCommit } from '../transaction/index.ts';
import { ANY_TABLE, tableLabel, UNKNOWN_TABLES, type Label } from './labels.ts';
import { currentLoad, type LoadScope } from './load-scope.ts';
import type { Version, Versions } from './versions.ts';

/** What a cache needs of its database. */
export type CachedDatabase = Pick<Database, 'name' | 'on' | 'currentTransaction'> &
  Partial<Pick<Database, 'readLatest'>>;

/** In which context a call is made, as far as that matters to a cache. */
export type Standing =
  | { readonly kind: 'outside' }
  /** The cache must be neither used nor filled. */
  | { readonly kind: 'writing' }
  /** It sees the database as it was at `since`. */
  | { readonly kind: 'reading'; readonly since: Version };

interface OpenTransaction {
  readonly readOnly: boolean;
  readonly since: Version;
  /** Invalidations that wait for its COMMIT. */
  readonly deferred: (() => unknown)[];
  /** Loads that have read uncommitted data in it. */
  readonly readBy: Set<LoadScope>;
}

interface CouplingParts {
  readonly database: CachedDatabase | undefined;
  /** Identifies the loads of this cache. */
  readonly cache: object;
  readonly versions: Versions;
  readonly onChange: (labels: readonly Label[], source: 'local' | 'foreign') => void;
}

const OUTSIDE: Standing = { kind: 'outside' };
const WRITING: Standing = { kind: 'writing' };

/**
 * Ties a cache to the transactions and the statements of its database: what is committed invalidates, what is
 * not has no effect, and each load learns which tables it reads.
 */
export class Coupling {
  readonly #parts: CouplingParts;
  readonly #open = new Map<number, OpenTransaction>();
  readonly #stops: (() => void)[] = [];
  #stopHearingStatements: (() => void)[] = [];
  #loads = 0;

  constructor(parts: CouplingParts) {
    this.#parts = parts;
    const { database, onChange } = parts;
    if (database === undefined) return;
    this.#stops.push(
      database.on('data:change', ({ tables, source }) => onChange(changedLabels(tables), source)),
      database.on('transaction:start', (event) => this.#began(event)),
      database.on('transaction:commit', ({ transactionId }) => this.#ended(transactionId, 'committed')),
      database.on('transaction:rollback', ({ transactionId }) => this.#ended(transactionId, 'rolled-back')),
      database.on('transaction:unknown', ({ transactionId }) => this.#ended(transactionId, 'unknown')),
    );
  }

  /** True where `standing()` would be the most restrictive; cheaper than asking for it. */
  isWriting(): boolean {
    return !isOutsideTransactions() && this.standing().kind === 'writing';
  }

  standing(): Standing {
    if (isOutsideTransactions()) return OUTSIDE;
    const current = this.#parts.database?.currentTransaction;
    if (current === undefined) return isInWritingTransaction() ? WRITING : OUTSIDE;
    const open = this.#open.get(current.id);
    // A transaction that began before this cache, or has ended, is not known: it may write.
    if (open === undefined || !open.readOnly || isInWritingTransaction()) return WRITING;
    return { kind: 'reading', since: open.since };
  }

  /**
   * True where `invalidate` waits for the COMMIT of the running transaction, and is forgotten if it rolls
   * back; false where no transaction that may write is running.
   */
  defer(invalidate: () => unknown): boolean {
    const current = this.#parts.database?.currentTransaction;
    const open = current === undefined ? undefined : this.#open.get(current.id);
    if (open !== undefined && !open.readOnly) {
      open.deferred.push(invalidate);
      return true;
    }
    if (!isInWritingTransaction()) return false;
    onCommit(invalidate);
    return true;
  }

  /** Runs a load: what it reads, also from replicas, is not older than any change known before. */
  runLoad<T>(load: () => T): T {
    const { database } = this.#parts;
    return database?.readLatest === undefined ? load() : database.readLatest(load);
  }

  /** The statements of running loads are heard until `endLoad` was called as often. */
  beginLoad(): void {
    this.#loads += 1;
    const { database } = this.#parts;
    // Not all the time: while somebody listens, a database reports every statement, which has its cost.
    if (this.#loads > 1 || database === undefined) return;
    this.#stopHearingStatements = [
      database.on('query:start', () => this.#ownLoad()?.statementBegan()),
      database.on('query:end', (event) => this.#heard(event)),
      database.on('query:error', (event) => this.#heard(event)),
    ];
  }

  endLoad(scope: LoadScope): void {
    this.#loads -= 1;
    for (const id of scope.uncommitted) this.#open.get(id)?.readBy.delete(scope);
    if (this.#loads > 0) return;
    for (const stop of this.#stopHearingStatements) stop();
    this.#stopHearingStatements = [];
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
    for (const open of this.#open.keys()) this.#ended(open, 'rolled-back');
  }

  #began({ transactionId, readOnly }: EventOf<'transaction:start'>): void {
    // Changes are remembered as long as it is open: what it reads may be as old as the transaction.
    const since = this.#parts.versions.open();
    this.#open.set(transactionId, { readOnly, since, deferred: [], readBy: new Set() });
  }

  #ended(id: number, how: 'committed' | 'rolled-back' | 'unknown'): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    if (how === 'committed') for (const scope of open.readBy) scope.uncommitted.delete(id);
    // An unknown outcome may be a commit.
    if (how !== 'rolled-back') for (const invalidate of open.deferred) invalidate();
    this.#parts.versions.close();
  }

  #ownLoad(): LoadScope | undefined {
    const scope = currentLoad();
    return scope?.owner.cache === this.#parts.cache ? scope : undefined;
  }

  #heard({ tablesRead, transactionId }: HeardStatement): void {
    const scope = this.#ownLoad();
    if (scope === undefined) return;
    scope.statementEnded(tablesRead);
    if (transactionId === undefined) return;
    const open = this.#open.get(transactionId);
    if (open !== undefined) scope.sawSince(open.since);
    if (open?.readOnly === true) return;
    // It was read through a handle: the flow of the load itself is in no writing transaction, or it would not
    // be kept.
    scope.uncommitted.add(transactionId);
    open?.readBy.add(scope);
  }
}

type HeardStatement = Pick<EventOf<'query:end'>, 'tablesRead' | 'transactionId'>;

function changedLabels(tables: readonly string[] | undefined): readonly Label[] {
  return tables === undefined ? [ANY_TABLE] : [...tables.map(tableLabel), UNKNOWN_TABLES];
}
