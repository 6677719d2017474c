import { Line, type Clock } from '../async/index.ts';
import type { DriverConnection, LeaseSource } from '../driver/index.ts';
import type { Announcer } from '../events/index.ts';
import { TransactionError, UsageError } from '../errors/index.ts';
import type { Dialect } from '../sql/index.ts';
import { BeginSites } from './begin-sites.ts';
import { captureCallSite, StatementSites, type CallSite } from './call-site.ts';
import { contextWith, currentContext, currentTransaction, runInContext } from './context.ts';
import type { ErrorReporter } from './hooks.ts';
import type {
  TransactionCounts,
  TransactionEnvironment,
  TransactionLimits,
} from './transaction-environment.ts';
import { conduct, runJoined, runNested, type TransactionWork } from './inner-transaction.ts';
import { shutDown } from './interruptions.ts';
import { LeasedTransaction } from './leased-transaction.ts';
import { decideStep } from './propagation.ts';
import { isRetryable, pause, retryDelayMs, type RetryPolicy } from './retry.ts';
import { assertNoSelfDeadlock, assertNotStarving } from './self-deadlock.ts';
import { Transaction } from './transaction.ts';
import {
  resolveBeginOptions,
  resolveTransactionOptions,
  type BeginTransactionOptions,
  type OptionalPropagation,
  type ResolvedTransactionOptions,
  type TransactionOptions,
} from './transaction-options.ts';
import { TransactionView } from './transaction-view.ts';

export interface TransactionManagerSetup {
  /** Whose transactions they are; the identity that the async context knows a database by. */
  readonly databaseKey: object;
  readonly dialect: Dialect;
  /** Where the connection of a transaction comes from. */
  source(readOnly: boolean): LeaseSource<DriverConnection>;
  /** False when an acquire of that kind would have to wait for somebody to give a connection back. */
  hasRoom(readOnly: boolean): boolean;
  /** True where only one connection can write (SQLite). */
  readonly exclusiveWriter: boolean;
  /** True where read-only transactions take other connections than the others do. */
  readonly readersApart: boolean;
  readonly announce: Announcer;
  readonly clock: Clock;
  readonly limits: TransactionLimits;
  /** Told of failures that must not take the place of another error: a throwing onRollback callback. */
  readonly reportError: ErrorReporter;
}

/** Counters that always add up: `started = committed + rolledBack + unknown + active`. */
export interface TransactionStats {
  readonly started: number;
  readonly committed: number;
  readonly rolledBack: number;
  readonly unknown: number;
  readonly active: number;
}

/** Work in one of the modes that allow running without a transaction. */
type OptionalWork<T> = (transaction: Transaction | undefined) => T | Promise<T>;

interface Attempt {
  transaction?: LeasedTransaction;
  /** Whether the function has settled; one that still runs cannot be run again. */
  settled: boolean;
}

/** The transactions of one database: begins, joins and ends them. */
export class TransactionManager {
  readonly #setup: TransactionManagerSetup;
  readonly #environment: TransactionEnvironment;
  readonly #counts: TransactionCounts = { committed: 0, rolledBack: 0, unknown: 0, active: 0 };
  readonly #open = new Line<LeasedTransaction>();
  readonly #noteEnd = (ended: LeasedTransaction): void => void this.#open.remove(ended);
  readonly #sites: BeginSites;
  #lastId = 0;
  #closedBy: Error | undefined;

  constructor(setup: TransactionManagerSetup) {
    this.#setup = setup;
    this.#sites = new BeginSites(setup.clock);
    const { databaseKey, dialect, exclusiveWriter, announce, clock, limits, reportError } = setup;
    this.#environment = {
      databaseKey,
      dialect,
      exclusiveWriter,
      announce,
      clock,
      limits,
      reportError,
      sites: new StatementSites(),
      counts: this.#counts,
      toHandle: (view) => new Transaction(view),
    };
  }

  /** The open transaction that calls of this flow join. */
  current(): Transaction | undefined {
    const view = currentTransaction(this.#setup.databaseKey);
    return view?.scope.state === 'active' ? view.handle : undefined;
  }

  /**
   * Runs `work` in a transaction: commits when it resolves, rolls back when it rejects, and passes its error
   * on. In the modes that allow running without a transaction, `work` then gets no handle.
   */
  run<T>(
    work: OptionalWork<T>,
    options: TransactionOptions & { readonly propagation: OptionalPropagation },
  ): Promise<T>;
  run<T>(work: TransactionWork<T>, options?: TransactionOptions): Promise<T>;
  // Not async: the promise that is counted as under way must be the one the caller holds.
  run<T>(work: TransactionWork<T> | OptionalWork<T>, given?: TransactionOptions): Promise<T> {
    try {
      if (typeof work !== 'function') throw new UsageError('transaction() takes a function: its work.');
      // Whether there is a handle follows from the options, which the signatures above tie to `work`.
      return this.#run(work as OptionalWork<T>, given);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Begins a transaction that its handle ends. It is not ambient: only calls on the handle are part of it.
   */
  async begin(given?: BeginTransactionOptions): Promise<Transaction> {
    const options = resolveBeginOptions(given);
    const transaction = await this.#take(options, captureCallSite(), true);
    try {
      await transaction.begin();
    } catch (error) {
      await transaction.root.settled();
      throw error;
    }
    return new TransactionView(transaction.root, { readOnly: options.readOnly, joined: false }).handle;
  }

  /**
   * For what takes a connection beside the transactions (a lease, a write of its own): an error at once where
   * waiting could never end, because the flow that asks holds what it would wait for.
   * @throws SelfDeadlockError
   */
  assertMayAcquire(readOnly: boolean, what: string): void {
    const { databaseKey, exclusiveWriter, readersApart } = this.#setup;
    // Most flows hold nothing.
    if (currentContext() === undefined) return;
    if (exclusiveWriter && !readOnly) assertNoSelfDeadlock(databaseKey, what);
    assertNotStarving(databaseKey, {
      what,
      hasRoom: () => this.#setup.hasRoom(readOnly),
      competes: (heldReadOnly) => !readersApart || heldReadOnly === readOnly,
    });
  }

  stats(): TransactionStats {
    const { committed, rolledBack, unknown, active } = this.#counts;
    return { started: committed + rolledBack + unknown + active, committed, rolledBack, unknown, active };
  }

  /**
   * Rolls all of them back and begins no more; those whose COMMIT is under way may finish. Bounded by the
   * grace.
   */
  async closeAll(reason: Error): Promise<void> {
    this.#closedBy ??= reason;
    const ends = [...this.#open].map(async (transaction) => {
      transaction.root.interrupt(shutDown(reason));
      await transaction.root.settled();
      await transaction.withinGrace(transaction.ended);
    });
    await Promise.all(ends);
  }

  #run<T>(work: OptionalWork<T>, given?: TransactionOptions): Promise<T> {
    const options = resolveTransactionOptions(given);
    const ambient = currentTransaction(this.#setup.databaseKey);
    switch (decideStep(options, ambient)) {
      case 'begin':
        return this.#runNew(work, options);
      case 'join':
        return runJoined(ambient!, work, options);
      case 'nest':
        return runNested(ambient!, work, options);
      case 'none':
        return runInContext(contextWith(this.#setup.databaseKey, undefined), async () => work(undefined));
    }
  }

  #runNew<T>(work: TransactionWork<T>, options: ResolvedTransactionOptions): Promise<T> {
    const site = this.#sites.capture();
    if (options.retry !== undefined) return this.#retry(work, { options, site, retry: options.retry });
    return this.#attempt(work, { options, site, attempt: { settled: true } });
  }

  async #retry<T>(
    work: TransactionWork<T>,
    { options, site, retry }: { options: ResolvedTransactionOptions; site: CallSite; retry: RetryPolicy },
  ): Promise<T> {
    for (let retries = 0; ; retries++) {
      const attempt: Attempt = { settled: true };
      try {
        return await this.#attempt(work, { options, site, attempt });
      } catch (error) {
        const over = retries >= retry.attempts || !isRetryable(error) || !retry.when(error);
        if (over || !isUndone(attempt)) throw error;
        await pause(retryDelayMs(retry, retries), this.#setup.clock, options.signal);
        if (!attempt.settled) throw error;
      }
    }
  }

  async #attempt<T>(
    work: TransactionWork<T>,
    { options, site, attempt }: { options: ResolvedTransactionOptions; site: CallSite; attempt: Attempt },
  ): Promise<T> {
    const transaction = await this.#take(options, site, false);
    attempt.transaction = transaction;
    attempt.settled = false;
    // Not awaited: its failure ends the transaction, which is how `conduct` learns of it.
    void transaction.begin();
    const { readOnly, inner } = options;
    const view = new TransactionView(transaction.root, { readOnly, joined: false, nests: inner === 'nest' });
    const context = contextWith(this.#setup.databaseKey, view);
    return conduct(transaction.root, async () => {
      try {
        return await runInContext(context, () => work(view.handle));
      } finally {
        attempt.settled = true;
      }
    });
  }

  /** Acquires a connection for a transaction, which takes the lease over. */
  async #take(
    options: ResolvedTransactionOptions,
    site: CallSite,
    manual: boolean,
  ): Promise<LeasedTransaction> {
    const { signal, name, readOnly, foreignKeys } = options;
    this.#assertOpen();
    if (!foreignKeys && this.#setup.dialect !== 'sqlite') {
      throw new UsageError('foreignKeys: false is for SQLite, which has no other way to rebuild a table.');
    }
    this.assertMayAcquire(readOnly, name === undefined ? 'A transaction' : `Transaction "${name}"`);
    const outer = currentContext();
    const holder = name === undefined ? 'transaction' : `transaction "${name}"`;
    const lease = await this.#setup.source(readOnly).acquire({ signal, holder, site });
    try {
      // Both may have happened at the moment in which the connection came free.
      this.#assertOpen();
      signal?.throwIfAborted();
      const transaction = new LeasedTransaction({
        id: ++this.#lastId,
        environment: this.#environment,
        lease,
        options,
        site,
        manual,
        outer,
        onEnd: this.#noteEnd,
      });
      this.#open.push(transaction);
      return transaction;
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  #assertOpen(): void {
    if (this.#closedBy === undefined) return;
    throw new TransactionError('No transaction can begin: the database is closed.', {
      cause: this.#closedBy,
    });
  }
}

/** Only an attempt that is known to be undone, or that never began, may be repeated. */
function isUndone({ transaction }: Attempt): boolean {
  if (transaction === undefined) return true;
  return transaction.root.state === 'rolled-back' && !transaction.isPartlyCommitted;
}
