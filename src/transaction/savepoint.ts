import type { CallSite } from './call-site.ts';
import type { ContextNode } from './context.ts';
import { beginFailed } from './interruptions.ts';
import { Scope, type Boundary } from './scope.ts';
import type { Ending, RollbackOutcome } from './state.ts';

export interface SavepointSetup {
  readonly site: CallSite;
  readonly manual: boolean;
  readonly outer: ContextNode | undefined;
  /** Aborted to stop its own statements; only where it has a limit of its own. */
  readonly stop: AbortController | undefined;
  readonly onEnd: () => void;
}

/** The boundary of a transaction inside another. */
export class Savepoint implements Boundary {
  readonly scope: Scope;
  readonly #parent: Scope;
  readonly #setup: SavepointSetup;
  readonly #name: string;
  #openFailure: { readonly error: unknown } | undefined;

  constructor(parent: Scope, setup: SavepointSetup) {
    const { transaction } = parent;
    this.#parent = parent;
    this.#setup = setup;
    this.#name = transaction.nextSavepoint();
    const label = `Savepoint ${this.#name} of ${transaction.root.label}`;
    this.scope = new Scope({
      ...setup,
      transaction,
      parent,
      boundary: this,
      label,
      stop: this.#stopSignal(),
    });
    parent.enterChild(this.scope);
  }

  /** Sends SAVEPOINT. As with BEGIN, nobody needs to wait for the answer. */
  open(): Promise<void> {
    const opened = this.scope.transaction.connection.savepoint(this.#name);
    opened.catch((error: unknown) => {
      this.#openFailure = { error };
      // What was sent behind it has become part of the level above, where nothing can undo it alone.
      this.#parent.markRollbackOnly(error);
      this.scope.interrupt({ ...beginFailed(this.scope.label, error), gone: true });
    });
    return opened;
  }

  async commit(): Promise<void> {
    const { scope } = this;
    scope.enter('committing');
    try {
      await scope.transaction.connection.releaseSavepoint(this.#name);
    } catch (error) {
      const first = this.#openFailure === undefined ? error : this.#openFailure.error;
      if (scope.state === 'committing') await scope.rollback(first);
      throw first;
    }
    // The whole transaction may have been ended while the answer was on its way.
    if (scope.state !== 'committing') throw scope.closedError();
    this.#parent.hooks.adopt(scope.hooks);
    this.#end('committed', { how: 'was released', atMs: scope.transaction.environment.clock.now() });
  }

  async rollback(ending: Ending, reason: Error): Promise<RollbackOutcome> {
    const { connection } = this.scope.transaction;
    this.scope.fence(ending);
    this.#setup.stop?.abort(reason);
    try {
      // ROLLBACK TO leaves the savepoint itself open: https://sqlite.org/lang_savepoint.html
      await Promise.all([
        connection.rollbackToSavepoint(this.#name),
        connection.releaseSavepoint(this.#name),
      ]);
      return 'confirmed';
    } catch (error) {
      this.#parent.markRollbackOnly(ending.cause ?? error);
      return 'pending';
    } finally {
      this.#end('rolled-back', ending);
    }
  }

  abandon(ending: Ending): void {
    this.scope.fence(ending);
    this.#end('rolled-back', ending);
  }

  #end(state: 'committed' | 'rolled-back', ending: Ending): void {
    this.scope.conclude(state, ending);
    this.#parent.leaveChild(this.scope);
    this.#setup.onEnd();
  }

  #stopSignal(): AbortSignal | undefined {
    const own = this.#setup.stop?.signal;
    const outer = this.#parent.stop;
    return own === undefined || outer === undefined ? (own ?? outer) : AbortSignal.any([own, outer]);
  }
}
