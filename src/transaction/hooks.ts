import { AsyncLocalStorage } from 'node:async_hooks';
import { TransactionError, UsageError } from '../errors/index.ts';
import { nearestTransaction, runInContext, type ContextNode } from './context.ts';

export type CommitHook = () => unknown;
export type RollbackHook = (error: unknown) => unknown;
export type ErrorReporter = (error: unknown, where: string) => void;

type Bound = (context: ContextNode | undefined, error: unknown) => unknown;

/**
 * The transaction is committed, but an `onCommit` callback failed. The first failure is the cause, all are in
 * `errors`.
 */
export class TransactionHookError extends TransactionError {
  readonly committed = true;
  readonly errors: readonly unknown[];

  constructor(label: string, errors: readonly unknown[]) {
    const count = errors.length === 1 ? 'an onCommit callback' : `${errors.length} onCommit callbacks`;
    super(`${label} is committed, but ${count} failed.`, { code: 'ERR_MILLPOND_HOOK', cause: errors[0] });
    this.errors = errors;
  }
}

/** Calls `hook` after the running transaction has committed; never if it rolls back. */
export function onCommit(hook: CommitHook): void {
  ambientTransaction('onCommit').onCommit(hook);
}

/** Calls `hook` with the error after the running transaction was rolled back. */
export function onRollback(hook: RollbackHook): void {
  ambientTransaction('onRollback').onRollback(hook);
}

/** The callbacks of one transaction or savepoint, in the order in which they were registered. */
export class Hooks {
  #onCommit: Bound[] = [];
  #onRollback: Bound[] = [];

  get isEmpty(): boolean {
    return this.#onCommit.length === 0 && this.#onRollback.length === 0;
  }

  onCommit(hook: CommitHook): void {
    this.#onCommit.push(bind(hook, 'onCommit'));
  }

  onRollback(hook: RollbackHook): void {
    this.#onRollback.push(bind(hook, 'onRollback'));
  }

  /**
   * Takes over the callbacks of a savepoint that was released: from now on they wait for this transaction.
   */
  adopt(inner: Hooks): void {
    this.#onCommit.push(...inner.#onCommit);
    this.#onRollback.push(...inner.#onRollback);
  }

  /** Runs them all, one after another, and forgets them. @throws TransactionHookError when some failed. */
  async runCommit(context: ContextNode | undefined, label: string): Promise<void> {
    const hooks = this.#onCommit;
    if (this.isEmpty) return;
    this.#forget();
    const errors = await runAll(hooks, context, undefined);
    if (errors.length > 0) throw new TransactionHookError(label, errors);
  }

  /**
   * Runs them all and forgets them. Their failures are only reported: the caller must see the error that led
   * here.
   */
  async runRollback(context: ContextNode | undefined, error: unknown, report: ErrorReporter): Promise<void> {
    const hooks = this.#onRollback;
    this.#forget();
    for (const failure of await runAll(hooks, context, error)) report(failure, 'onRollback');
  }

  #forget(): void {
    this.#onCommit = [];
    this.#onRollback = [];
  }
}

async function runAll(
  hooks: readonly Bound[],
  context: ContextNode | undefined,
  error: unknown,
): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const hook of hooks) {
    try {
      await hook(context, error);
    } catch (failure) {
      failures.push(failure);
    }
  }
  return failures;
}

/**
 * A callback keeps the context it was registered in (a request's logger), except that it runs outside the
 * transaction.
 */
function bind(hook: RollbackHook, name: string): Bound {
  if (typeof hook !== 'function') throw new UsageError(`${name}() takes a function.`);
  return AsyncLocalStorage.bind((context: ContextNode | undefined, error: unknown) =>
    runInContext(context, () => hook(error)),
  );
}

function ambientTransaction(caller: string): {
  onCommit(hook: CommitHook): void;
  onRollback(hook: RollbackHook): void;
} {
  const view = nearestTransaction();
  if (view !== undefined) return view.handle;
  throw new UsageError(
    `${caller}() was called outside a transaction. Call it inside db.transaction() or transactional().`,
  );
}
