import type { LeaseInfo } from '../pool/index.ts';
import { systemClock, waitAtMost } from '../async/index.ts';
import {
  AbstractQueryable,
  type AcquireRequest,
  type BatchItemResult,
  type CallOptions,
  type CopySource,
  checkCallOptions,
  noCopyError,
  type RunResult,
  type Shape,
  type ShapeResult,
  type Statement,
  type StatementDescription,
} from '../driver/index.ts';
import { ConnectionError, UsageError } from '../errors/index.ts';
import type { EventHub, EventName, Listener } from '../events/index.ts';
import type { ListenHandler, ListenOptions, Subscription } from '../postgres/index.ts';
import { describePlaceholders, type Dialect } from '../sql/index.ts';
import {
  captureCallSite,
  currentTransaction,
  type BeginTransactionOptions,
  type OptionalPropagation,
  type Transaction,
  type TransactionManager,
  type TransactionOptions,
  type TransactionWork,
} from '../transaction/index.ts';
import type { Backend } from './backend.ts';
import { DatabaseLease } from './database-lease.ts';
import type { DatabaseStats } from './database-stats.ts';
import { checkHandleOptions } from './handle-options.ts';
import { askHealth, closedHealth, type Health } from './health.ts';
import type { HealthMonitor } from './health-monitor.ts';
import type { QueryRecorder } from './query-recorder.ts';
import type { DatabaseServices } from './services.ts';

/** What a database is made of; put together by `createDatabase`. */
export interface DatabaseParts {
  readonly name: string;
  readonly backend: Backend;
  readonly transactions: TransactionManager;
  readonly events: EventHub;
  readonly queries: QueryRecorder;
  readonly health: HealthMonitor;
  readonly closeTimeoutMs: number;
  readonly services: DatabaseServices;
  /** Called once, when closing begins. */
  readonly onClose: () => void;
}

/** A running transaction, as those see it who take part without holding it. */
export interface CurrentTransaction {
  readonly id: number;
  /** True also for a part that is for reading alone, in a transaction that writes. */
  readonly readOnly: boolean;
}

export interface AcquireOptions {
  /** Longest wait for the lease, in ms; 0 = do not wait. @default pool.acquireTimeoutMs */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How the lease appears in leak reports and in messages of an exhausted pool. */
  readonly name?: string | undefined;
}

export interface BackupOptions {
  /** Replaces a file of that name, once the copy is complete. @default false */
  readonly overwrite?: boolean | undefined;
}

/** How long a closing database waits between two looks at what is still under way. */
const DRAIN_LOOK_MS = 5;
/** For the rollbacks of what is still open then. What takes longer ends with its connection. */
const ROLLBACK_MS = 500;
/** The interval of a timer that does nothing but keep the process alive. */
const AWAKE_MS = 60_000;

let partsOf: (database: Database) => DatabaseParts;

/** For higher folders, not for users. */
export function servicesOf(database: Database): DatabaseServices {
  return partsOf(database).services;
}

/**
 * An open database. Statements on it join the transaction of the running async flow, if there is one;
 * otherwise each is on its own, placed by the engine.
 */
export class Database extends AbstractQueryable implements AsyncDisposable {
  readonly name: string;
  readonly #parts: DatabaseParts;
  /** The identity by which the async context knows this database; see `createDatabase`. */
  readonly #key: object;
  #closing: Promise<void> | undefined;

  static {
    partsOf = (database) => database.#parts;
  }

  constructor(parts: DatabaseParts, key: object) {
    super();
    this.name = parts.name;
    this.#parts = parts;
    this.#key = key;
  }

  get dialect(): Dialect {
    return this.#parts.backend.dialect;
  }

  /**
   * Runs `work` in a transaction: commits when it resolves, rolls back when it rejects, and rejects with the
   * same error. Calls on the database inside `work` are part of it. See docs/transactions.md for the options.
   */
  transaction<T>(
    work: (transaction: Transaction | undefined) => T | Promise<T>,
    options: TransactionOptions & { readonly propagation: OptionalPropagation },
  ): Promise<T>;
  transaction<T>(work: TransactionWork<T>, options?: TransactionOptions): Promise<T>;
  transaction<T>(work: TransactionWork<T>, options?: TransactionOptions): Promise<T> {
    // What joins a transaction that is still draining is part of the work that may finish.
    const isNew = currentTransaction(this.#key) === undefined;
    if (this.#closing !== undefined && isNew) return Promise.reject(this.#closedError());
    return this.#readingAfter(options, () => this.#parts.transactions.run(work, options));
  }

  /**
   * Begins a transaction that is ended by its handle: `await using tx = await db.begin()` rolls back unless
   * committed.
   */
  begin(options?: BeginTransactionOptions): Promise<Transaction> {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    return this.#readingAfter(options, () => this.#parts.transactions.begin(options));
  }

  /**
   * Leases one connection; `await using` gives it back. On SQLite it is a reader: its writes join the group
   * commit.
   * @throws ConnectionPoolExhaustedError
   */
  async acquire(options?: AcquireOptions): Promise<DatabaseLease> {
    if (this.#closing !== undefined) throw this.#closedError();
    const { timeoutMs, signal, name } = checkHandleOptions('acquire()', options);
    const { backend, transactions } = this.#parts;
    transactions.assertMayAcquire(true, 'A lease');
    // Who gives no name is traced by the pool, as far as the load allows.
    const site = name === undefined ? undefined : captureCallSite();
    const request: AcquireRequest = { timeoutMs, signal, holder: name, site };
    return new DatabaseLease(
      await (backend.leaseSource?.() ?? backend.source(true)).acquire(request),
      backend.dialect,
    );
  }

  /**
   * What a statement is, without running it: tables, columns, parameters. A `:name` needs no value.
   * @throws QueryExecutionError where the engine cannot prepare it
   */
  async describe(text: string): Promise<StatementDescription> {
    if (this.#closing !== undefined) throw this.#closedError();
    const { text: numbered, names } = describePlaceholders(text, this.dialect);
    const description = await this.#parts.backend.describe(numbered);
    const parameters = description.parameters.map(({ type }, index) => ({ name: names[index], type }));
    return { ...description, parameters };
  }

  /**
   * COPY … FROM STDIN: sends what `source` gives, no faster than the server takes it. All of it, or nothing;
   * in the transaction of this flow, if there is one. Without `timeoutMs`, only the time without progress is
   * limited, to `queryTimeoutMs`. PostgreSQL only.
   * @throws the source's own error, when it fails; QueryExecutionError without what it quotes of the data
   */
  async copyIn(text: string, source: CopySource, given?: CallOptions): Promise<RunResult> {
    const options = checkCallOptions(given);
    const transaction = currentTransaction(this.#key);
    if (transaction !== undefined) return transaction.copyIn(text, source, options);
    if (this.#closing !== undefined) throw this.#closedError();
    const { backend, transactions } = this.#parts;
    if (backend.copyIn === undefined) throw noCopyError();
    transactions.assertMayAcquire(false, 'A COPY');
    return backend.copyIn(text, source, options);
  }

  /**
   * COPY … TO STDOUT: pieces of bytes, produced as they are taken; a line may continue in the next piece.
   * Ending the loop frees the connection. Limits as for `copyIn`. PostgreSQL only.
   */
  copyOut(text: string, given?: CallOptions): AsyncIterableIterator<Uint8Array> {
    const options = checkCallOptions(given);
    const transaction = currentTransaction(this.#key);
    if (transaction !== undefined) return transaction.copyOut(text, options);
    if (this.#closing !== undefined) throw this.#closedError();
    const { backend, transactions } = this.#parts;
    if (backend.copyOut === undefined) throw noCopyError();
    transactions.assertMayAcquire(true, 'A COPY');
    return backend.copyOut(text, options);
  }

  /**
   * Listens to a channel of NOTIFY, on a connection that all listening shares. Messages come to `handler`, or
   * wait to be read with `for await`. A lost connection is reopened, and a message of kind `gap` says that
   * something may be missing. Listening ends with `close()`, `await using` or the loop. PostgreSQL only.
   * @throws ConnectionError where the server does not confirm
   */
  async listen(channel: string, handler?: ListenHandler, options: ListenOptions = {}): Promise<Subscription> {
    if (this.#closing !== undefined) throw this.#closedError();
    const { backend } = this.#parts;
    if (backend.listen !== undefined) return backend.listen(channel, handler, options);
    throw new UsageError(
      'LISTEN is PostgreSQL’s. On SQLite, the event data:change tells of other processes.',
    );
  }

  /**
   * A token of the last write of this flow, to be passed on to where that write must be visible: as
   * `readAfter` of a call or transaction, or as `after` of `readYourWrites`. Outside of `readYourWrites` it
   * covers every write of this process. Undefined where nothing was written, and on SQLite, where every read
   * sees every write.
   */
  async lastWrite(): Promise<string | undefined> {
    return this.#parts.backend.lastWrite?.();
  }

  /**
   * Inside `work`, reads from replicas see the writes made inside it and those before `after`, and wait for
   * no others: one such scope for each request lets it read from replicas that are behind what others write.
   * Outside, they see every write of this process.
   */
  readYourWrites<T>(work: () => T, { after }: { readonly after?: string | undefined } = {}): T {
    const { backend } = this.#parts;
    return backend.readYourWrites === undefined ? work() : backend.readYourWrites(after, work);
  }

  /**
   * Inside `work`, reads from replicas see everything that was committed before them, by other processes too.
   */
  readLatest<T>(work: () => T): T {
    const { backend } = this.#parts;
    return backend.readLatest === undefined ? work() : backend.readLatest(work);
  }

  /** The transaction of this database that the running async flow is in, if any. It may have ended. */
  get currentTransaction(): CurrentTransaction | undefined {
    const view = currentTransaction(this.#key);
    if (view === undefined) return undefined;
    return { id: view.scope.transaction.id, readOnly: view.readOnly };
  }

  /** @returns a function that removes the listener. A listener that throws does no harm to others. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    return this.#parts.events.on(name, listener);
  }

  off<Name extends EventName>(name: Name, listener: Listener<Name>): void {
    this.#parts.events.off(name, listener);
  }

  stats(): DatabaseStats {
    const { backend, queries, transactions } = this.#parts;
    return {
      name: this.name,
      dialect: backend.dialect,
      pool: backend.poolStats(),
      queries: queries.stats(),
      transactions: transactions.stats(),
      ...backend.engineStats(),
    };
  }

  /** The leases that are out now, the longest held first: who took them, and where. */
  leases(): LeaseInfo[] {
    return this.#parts.backend.leases().toSorted((a, b) => b.heldMs - a.heldMs);
  }

  /** Asks the database now. Never rejects: a database that does not answer is a result. */
  async health(): Promise<Health> {
    return this.#closing === undefined ? askHealth(this.#parts) : closedHealth(this.#closedError());
  }

  /**
   * Copies the database, as it is at one moment, to a new file, while reads and writes go on. The file
   * appears when it is complete.
   * @throws UsageError where a file of that name is there, unless `overwrite` is set
   */
  async backup(path: string, options?: BackupOptions): Promise<void> {
    if (this.#closing !== undefined) throw this.#closedError();
    const { overwrite = false } = checkHandleOptions('backup()', options);
    if (typeof path !== 'string' || path === '')
      throw new UsageError('A backup needs the path of a file: a string.');
    this.#parts.transactions.assertMayAcquire(true, 'A backup');
    await this.#parts.backend.backup(path, overwrite);
  }

  /**
   * Refuses new work, waits for what is under way up to `timeoutMs`, rolls back what is left, and ends every
   * connection. May be called again: it is the same closing. Settles at most 2.5 s after the limit: 0.5 s for
   * rollbacks, 2 s for the end of the connections. A statement that nothing can stop may outlive it, in its
   * thread.
   */
  async close(options?: { readonly timeoutMs?: number | undefined }): Promise<void> {
    const { timeoutMs = this.#parts.closeTimeoutMs } = checkHandleOptions('close()', options);
    this.#closing ??= this.#close(timeoutMs);
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected execute<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
  ): Promise<ShapeResult[S]> {
    const transaction = currentTransaction(this.#key);
    if (transaction !== undefined) return transaction.execute(shape, statement, options);
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    return this.#parts.backend.execute(shape, statement, options);
  }

  protected executeStream(
    statement: Statement,
    options: CallOptions,
  ): AsyncIterableIterator<Record<string, unknown>[]> {
    const transaction = currentTransaction(this.#key);
    if (transaction !== undefined) return transaction.stream(statement, options);
    if (this.#closing !== undefined) throw this.#closedError();
    return this.#parts.backend.stream(statement, options);
  }

  protected executeBatch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    const transaction = currentTransaction(this.#key);
    if (transaction !== undefined) return transaction.batch(statements, options);
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    return this.#parts.backend.batch(statements, options);
  }

  protected executeScript(text: string, options: CallOptions): Promise<void> {
    const transaction = currentTransaction(this.#key);
    if (transaction !== undefined) return transaction.script(text, options);
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    return this.#parts.backend.script(text, options);
  }

  #readingAfter<T>(
    options: { readonly readAfter?: string | undefined } | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const { backend } = this.#parts;
    const token = options?.readAfter;
    if (typeof token !== 'string' || backend.readAfter === undefined) return work();
    try {
      return backend.readAfter(token, work);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #close(timeoutMs: number): Promise<void> {
    const { backend, transactions, health, onClose } = this.#parts;
    onClose();
    health.stop();
    const deadline = systemClock.now() + timeoutMs;
    // Nothing that closing waits for (leases, limits) keeps the process alive until this has settled.
    const awake = setInterval(() => undefined, AWAKE_MS);
    try {
      await this.#drain(deadline);
      await waitAtMost(ROLLBACK_MS, transactions.closeAll(this.#closedError()));
      await backend.close(Math.max(0, deadline - systemClock.now()));
    } finally {
      clearInterval(awake);
    }
  }

  /** Waits for calls that were accepted to finish. */
  async #drain(deadline: number): Promise<void> {
    const { backend, transactions } = this.#parts;
    const isBusy = () => {
      const { leased, waiting } = backend.poolStats();
      return transactions.stats().active + backend.pendingCalls() + leased + waiting > 0;
    };
    while (isBusy() && systemClock.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    }
  }

  #closedError(): ConnectionError {
    return new ConnectionError(`The database "${this.name}" is closed.`, { code: 'ERR_MILLPOND_CLOSED' });
  }
}
