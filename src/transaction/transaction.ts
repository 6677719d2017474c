import {
  AbstractQueryable,
  checkCallOptions,
  type BatchItemResult,
  type CallOptions,
  type CopySource,
  type RunResult,
  type Shape,
  type ShapeResult,
  type Statement,
} from '../driver/index.ts';
import { TimeoutError, UsageError } from '../errors/index.ts';
import type { Dialect } from '../sql/index.ts';
import { steppedOut } from './context.ts';
import type { CommitHook, RollbackHook } from './hooks.ts';
import { beginNested, runNested, type TransactionWork } from './inner-transaction.ts';
import type { TransactionState } from './state.ts';
import { resolveNestedOptions, type NestedOptions } from './transaction-options.ts';
import type { TransactionView } from './transaction-view.ts';

/**
 * A transaction, as its user holds it. Every use after its end rejects with `TransactionClosedError`. From
 * `db.transaction()` it ends with the function; from `db.begin()` it ends by `commit()`, by `rollback()`, or
 * by leaving the scope of `await using`, which rolls back.
 */
export class Transaction extends AbstractQueryable implements AsyncDisposable {
  readonly #view: TransactionView;

  constructor(view: TransactionView) {
    super();
    this.#view = view;
  }

  /** Counts the transactions of a database; the same as in its events. A savepoint has its transaction's. */
  get id(): number {
    return this.#view.scope.transaction.id;
  }

  get readOnly(): boolean {
    return this.#view.readOnly;
  }

  get state(): TransactionState {
    return this.#view.scope.state;
  }

  /**
   * Aborted with the reason when the transaction is ended from outside: by a limit, an abort, a loss, a
   * shutdown.
   */
  get signal(): AbortSignal {
    return this.#view.scope.signal;
  }

  /**
   * @throws OutcomeUnknownError when it cannot be known whether it is committed. After any other error it is
   * rolled back, except after `TransactionHookError`: then it is committed, and a callback failed.
   */
  async commit(): Promise<void> {
    this.#assertManual('commit');
    await this.#view.scope.complete();
  }

  /**
   * Rolls back; does nothing when that has happened already. `error` is what `onRollback` callbacks are
   * given.
   */
  async rollback(error?: unknown): Promise<void> {
    this.#assertManual('rollback');
    const { scope } = this.#view;
    await scope.settled();
    if (scope.state === 'rolled-back' || scope.state === 'rolling-back') return;
    scope.assertActive();
    const outcome = await scope.rollback(error);
    if (outcome === 'confirmed') return;
    const { cancelGraceMs: timeoutMs } = scope.transaction.environment.limits;
    const message = `The rollback of ${scope.label} was not confirmed; closing its connection ends it.`;
    throw new TimeoutError(message, { timeoutMs, rollback: 'pending' });
  }

  /**
   * Commits what was done so far and goes on in a new transaction on the same connection, with this handle
   * and a new time limit. The `onCommit` callbacks of the finished part run before it resolves.
   */
  async commitAndContinue(): Promise<void> {
    const { scope, joined } = this.#view;
    if (joined || scope.depth > 0) {
      throw new UsageError(
        'commitAndContinue() is for the function or handle that began the whole transaction.',
      );
    }
    const { databaseKey } = scope.transaction.environment;
    // The callbacks run outside, but what they wait for is known to be held by this flow.
    await scope.completePart(steppedOut({ databaseKey, view: this.#view, parent: scope.outer }));
  }

  /** Waits until every statement sent so far was answered. @throws the first error among them. */
  async flush(): Promise<void> {
    await this.#view.scope.calls.flush();
  }

  /** The same as `db.copyIn`, as a part of this transaction. */
  async copyIn(text: string, source: CopySource, options?: CallOptions): Promise<RunResult> {
    return this.#view.copyIn(text, source, checkCallOptions(options));
  }

  /** The same as `db.copyOut`, as a part of this transaction. */
  copyOut(text: string, options?: CallOptions): AsyncIterableIterator<Uint8Array> {
    return this.#view.copyOut(text, checkCallOptions(options));
  }

  /** Runs `work` under a savepoint: when it rejects, only what it did is undone. */
  transaction<T>(work: TransactionWork<T>, options?: NestedOptions): Promise<T> {
    try {
      if (typeof work !== 'function') throw new UsageError('transaction() takes a function: its work.');
      return runNested(this.#view, work, resolveNestedOptions(options, 'tx.transaction()'));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Opens a savepoint with a handle of its own, which ends it. Until then this handle cannot be used. */
  async begin(options?: NestedOptions): Promise<Transaction> {
    return beginNested(this.#view, resolveNestedOptions(options, 'tx.begin()'));
  }

  /** Calls `hook` after the whole transaction has committed; never if this part of it rolls back. */
  onCommit(hook: CommitHook): void {
    this.#view.onCommit(hook);
  }

  /** Calls `hook` with the error after this part, or the whole, was rolled back. */
  onRollback(hook: RollbackHook): void {
    this.#view.onRollback(hook);
  }

  /** Rolls back what its handle has not ended. What a function ends is left to it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { scope } = this.#view;
    if (!scope.manual) return;
    await scope.settled();
    if (scope.state === 'active') await scope.rollback(undefined);
  }

  protected get dialect(): Dialect {
    return this.#view.scope.transaction.environment.dialect;
  }

  protected execute<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
  ): Promise<ShapeResult[S]> {
    return this.#view.execute(shape, statement, options);
  }

  protected executeStream(
    statement: Statement,
    options: CallOptions,
  ): AsyncIterableIterator<Record<string, unknown>[]> {
    return this.#view.stream(statement, options);
  }

  protected executeBatch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    return this.#view.batch(statements, options);
  }

  protected executeScript(text: string, options: CallOptions): Promise<void> {
    return this.#view.script(text, options);
  }

  #assertManual(method: string): void {
    if (this.#view.scope.manual) return;
    throw new UsageError(
      `${method}() is for a transaction from begin(). This one ends with its function: ` +
        'return to commit, throw to roll back.',
    );
  }
}
