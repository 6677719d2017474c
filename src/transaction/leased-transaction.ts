import type { DriverConnection, Isolation, LeaseLike } from '../driver/index.ts';
import { OutcomeUnknownError } from '../errors/index.ts';
import { describeCallSite, type CallSite } from './call-site.ts';
import { onConnectionLoss } from './connection-loss.ts';
import type { ContextNode } from './context.ts';
import type { TransactionEnvironment } from './transaction-environment.ts';
import { aborted, beginFailed, connectionLost, idleTooLong, timedOut } from './interruptions.ts';
import { LimitWatch, type LimitActions } from './limit-watch.ts';
import { Scope, type Boundary } from './scope.ts';
import type { Ending, RollbackOutcome } from './state.ts';
import type { ResolvedTransactionOptions } from './transaction-options.ts';

type FinalState = 'committed' | 'rolled-back' | 'unknown';

export interface LeasedTransactionSetup {
  readonly id: number;
  readonly environment: TransactionEnvironment;
  readonly lease: LeaseLike<DriverConnection>;
  readonly options: ResolvedTransactionOptions;
  readonly site: CallSite;
  /** See `Scope.manual`. */
  readonly manual: boolean;
  readonly outer: ContextNode | undefined;
  readonly onEnd: (transaction: LeasedTransaction) => void;
}

/**
 * One transaction on one leased connection: its BEGIN, COMMIT and ROLLBACK, its limits, and the lease, which
 * it takes over and gives back exactly once, at its end.
 */
export class LeasedTransaction implements Boundary, LimitActions {
  readonly id: number;
  readonly environment: TransactionEnvironment;
  readonly connection: DriverConnection;
  readonly readOnly: boolean;
  /** Where known; undefined means the engine's own default. */
  readonly isolation: Isolation | undefined;
  readonly foreignKeys: boolean;
  readonly root: Scope;
  readonly watch: LimitWatch;
  /** True once `commitAndContinue` has made a part of it last. */
  isPartlyCommitted = false;
  readonly #setup: LeasedTransactionSetup;
  /** Made when somebody waits for it. */
  #ended: PromiseWithResolvers<void> | undefined;
  #isReleased = false;
  #savepoints = 0;
  #beginFailure: { readonly error: unknown } | undefined;
  #giveUpCommit: (error: OutcomeUnknownError) => void = () => {};
  #stopListening: () => void = () => {};

  constructor(setup: LeasedTransactionSetup) {
    const { id, environment, lease, options, site, manual, outer } = setup;
    this.#setup = setup;
    this.id = id;
    this.environment = environment;
    this.connection = lease.resource;
    this.readOnly = options.readOnly;
    // One writer means one after another, whatever is asked for.
    this.isolation = options.isolation ?? (environment.exclusiveWriter ? 'serializable' : undefined);
    this.foreignKeys = options.foreignKeys;
    const label = `Transaction #${id}${options.name === undefined ? '' : ` "${options.name}"`}`;
    this.root = new Scope({ transaction: this, boundary: this, label, site, manual, outer });
    this.watch = this.#createWatch(options);
  }

  /** Settles when the lease was given back. */
  get ended(): Promise<void> {
    if (this.#isReleased) return Promise.resolve();
    this.#ended ??= Promise.withResolvers();
    return this.#ended.promise;
  }

  /**
   * Sends BEGIN. Nobody needs to wait for the answer: statements may follow at once, and a failure ends the
   * transaction.
   */
  begin(): Promise<void> {
    this.#listen();
    const begun = this.#beginPart();
    // In the moment since the connection came, nobody listened to the signal.
    const { signal } = this.#setup.options;
    if (signal?.aborted === true) this.root.interrupt(aborted(this.root.label, signal.reason));
    return begun;
  }

  async commit(): Promise<void> {
    const answered = this.#sendCommit();
    // The next transaction's BEGIN may stand behind this COMMIT already.
    if (this.connection.pipelinesCommit === true) this.#setup.lease.release();
    await answered;
    this.#finish('committed', { how: 'was committed', atMs: this.environment.clock.now() }, 'reuse');
    const { hooks, outer, label } = this.root;
    if (!hooks.isEmpty) await hooks.runCommit(outer, label);
  }

  /** COMMIT, then BEGIN on the same connection. The callbacks of the finished part run before it resolves. */
  async commitAndContinue(hookContext: ContextNode | undefined): Promise<void> {
    await this.#sendCommit();
    this.isPartlyCommitted = true;
    this.#countEnd('committed', undefined);
    this.root.enter('active');
    // Not awaited: its failure ends the transaction, and the next call says so.
    void this.#beginPart().catch(() => {});
    await this.root.hooks.runCommit(hookContext, this.root.label);
  }

  async rollback(ending: Ending, reason: Error): Promise<RollbackOutcome> {
    // The order matters: first nothing new gets in, then what is in flight is stopped, then ROLLBACK is sent.
    this.root.fence(ending);
    this.watch.stop();
    this.connection.cancelPending(reason);
    const answer = this.connection.rollback().then(
      () => 'reuse' as const,
      // A connection whose ROLLBACK failed is in doubt; closing it is the rollback.
      () => 'discard' as const,
    );
    const answered = await this.withinGrace(answer);
    if (answered === undefined) {
      // Its end is a rollback too, and where the network is silent the answer never comes.
      this.connection.cutOff?.(reason);
      void answer.then(() => this.#finish('rolled-back', ending, 'discard'));
      return 'pending';
    }
    this.#finish('rolled-back', ending, answered);
    return answered === 'reuse' ? 'confirmed' : 'pending';
  }

  abandon(ending: Ending): void {
    this.root.fence(ending);
    this.#finish('rolled-back', ending, 'discard');
  }

  /** What `work` gives, or undefined when it takes longer than the grace. */
  withinGrace<T>(work: Promise<T>): Promise<T | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
    const { clock, limits } = this.environment;
    const timer = clock.after(limits.cancelGraceMs, () => resolve(undefined), { keepAlive: true });
    void work.then(resolve, reject).finally(() => timer.cancel());
    return promise;
  }

  timedOut(limitMs: number): void {
    this.root.interrupt(timedOut(this.root.label, limitMs));
  }

  idleTooLong(limitMs: number): void {
    this.root.interrupt(idleTooLong(this.root.label, limitMs));
  }

  heldTooLong(heldMs: number): void {
    const { announce } = this.environment;
    if (!announce.has('transaction:held-too-long')) return;
    const takenAt = describeCallSite(this.#setup.site);
    announce.emit('transaction:held-too-long', { ...this.#event(), heldMs, takenAt });
  }

  commitUnanswered(waitedMs: number): void {
    const message = `COMMIT had no answer for ${Math.round(waitedMs)} ms`;
    this.#giveUpCommit(
      new OutcomeUnknownError(`${this.root.label} may or may not be committed: ${message}.`),
    );
  }

  nextSavepoint(): string {
    this.#savepoints++;
    return `millpond_sp_${this.#savepoints}`;
  }

  #beginPart(): Promise<void> {
    const { announce, counts } = this.environment;
    counts.active++;
    this.watch.begin();
    if (announce.has('transaction:start')) announce.emit('transaction:start', this.#event());
    const begun = this.connection.begin({
      readOnly: this.readOnly,
      isolation: this.#setup.options.isolation,
      foreignKeys: this.#setup.options.foreignKeys,
      timeoutMs: this.#setup.options.timeoutMs,
      transactionId: this.id,
    });
    this.watch.sent();
    begun.then(
      () => this.watch.answered(),
      (error: unknown) => {
        this.#beginFailure = { error };
        this.root.interrupt(beginFailed(this.root.label, error));
      },
    );
    return begun;
  }

  async #sendCommit(): Promise<void> {
    this.root.enter('committing');
    this.watch.commitSent();
    const commit = this.connection.commit();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#giveUpCommit = reject;
        commit.then(resolve, reject);
      });
    } catch (error) {
      // Without a BEGIN there is nothing to commit, and the BEGIN's error says why.
      const first = this.#beginFailure === undefined ? error : this.#beginFailure.error;
      if (first instanceof OutcomeUnknownError) this.#leaveUnknown(first, commit);
      else await this.#commitRefused(first);
      throw first;
    }
  }

  async #commitRefused(error: unknown): Promise<void> {
    const how = 'was rolled back because its COMMIT failed';
    this.#finish('rolled-back', { how, atMs: this.environment.clock.now(), cause: error }, 'reuse');
    await this.root.hooks.runRollback(this.root.outer, error, this.environment.reportError);
  }

  /** Neither kind of callback may run: it is not known which would be right. */
  #leaveUnknown(cause: OutcomeUnknownError, commit: Promise<void>): void {
    this.#conclude('unknown', {
      how: 'ended with an unknown outcome',
      atMs: this.environment.clock.now(),
      cause,
    });
    // Not before its COMMIT was answered: until then the connection may still be writing. Where the lease
    // went back with the COMMIT, the engine answers for the connection: what stands behind the COMMIT waits
    // for it, and is refused where the COMMIT leaves the connection in doubt. Being late alone leaves no
    // doubt.
    this.connection.cutOff?.(cause);
    void commit.catch(() => {}).then(() => this.#release('discard'));
  }

  #finish(state: FinalState, ending: Ending, how: 'reuse' | 'discard'): void {
    this.#conclude(state, ending);
    this.#release(how);
  }

  #conclude(state: FinalState, ending: Ending): void {
    this.watch.stop();
    this.#stopListening();
    this.root.conclude(state, ending);
    this.#countEnd(state, ending);
  }

  #release(how: 'reuse' | 'discard'): void {
    this.#setup.lease.release(this.connection.usable ? how : 'discard');
    this.#setup.onEnd(this);
    this.#isReleased = true;
    this.#ended?.resolve();
  }

  #countEnd(state: FinalState, ending: Ending | undefined): void {
    const { announce, counts } = this.environment;
    counts.active--;
    counts[COUNTER[state]]++;
    if (!announce.has(EVENT[state])) return;
    const event = { ...this.#event(), durationMs: this.watch.durationMs };
    announce.emit(EVENT[state], ending?.cause === undefined ? event : { ...event, error: ending.cause });
  }

  #listen(): void {
    const { signal } = this.#setup.options;
    const { root } = this;
    const stopHearing = onConnectionLoss(this.connection, (error) =>
      root.interrupt(connectionLost(root.label, error)),
    );
    this.#stopListening = stopHearing;
    if (signal === undefined) return;
    const onAbort = (): void => root.interrupt(aborted(root.label, signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    this.#stopListening = () => {
      stopHearing();
      signal.removeEventListener('abort', onAbort);
    };
  }

  #createWatch({ timeoutMs }: ResolvedTransactionOptions): LimitWatch {
    const { clock, limits } = this.environment;
    const own = timeoutMs === undefined ? limits : { ...limits, transactionTimeoutMs: timeoutMs };
    return new LimitWatch({ clock, limits: own, keepAlive: !this.root.manual }, this);
  }

  #event(): { transactionId: number; name?: string; readOnly: boolean } {
    const { id, readOnly } = this;
    const { name } = this.#setup.options;
    return name === undefined ? { transactionId: id, readOnly } : { transactionId: id, name, readOnly };
  }
}

const COUNTER = { committed: 'committed', 'rolled-back': 'rolledBack', unknown: 'unknown' } as const;
const EVENT = {
  committed: 'transaction:commit',
  'rolled-back': 'transaction:rollback',
  unknown: 'transaction:unknown',
} as const;
