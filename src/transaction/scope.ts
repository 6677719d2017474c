import type { CallOptions } from '../driver/index.ts';
import { TransactionError, type TransactionClosedError } from '../errors/index.ts';
import type { CallSite } from './call-site.ts';
import type { ContextNode } from './context.ts';
import { Flights, type Flight } from './flights.ts';
import { Gate } from './gate.ts';
import { Hooks } from './hooks.ts';
import type { LeasedTransaction } from './leased-transaction.ts';
import { ScopeCalls } from './scope-calls.ts';
import { assertMakesWay } from './self-deadlock.ts';
import {
  closedError,
  type Ending,
  type Interruption,
  type RollbackOutcome,
  type TransactionState,
} from './state.ts';

/** How a level of a transaction ends on the connection: as the transaction itself, or as a savepoint. */
export interface Boundary {
  /** Makes it last (a savepoint: part of the level above). When that fails, undoes it and rejects. */
  commit(): Promise<void>;
  /** Raises the fence at once, then undoes it. Never rejects. */
  rollback(ending: Ending, reason: Error): Promise<RollbackOutcome>;
  /** Ends it where there is nothing left to undo. */
  abandon(ending: Ending): void;
}

export interface ScopeSetup {
  readonly transaction: LeasedTransaction;
  readonly parent?: Scope;
  readonly boundary: Boundary;
  /** `Transaction #3 "import"`. */
  readonly label: string;
  readonly site: CallSite;
  /** True when a handle ends it, not the end of a function. */
  readonly manual: boolean;
  /** Where its callbacks run: outside of it. */
  readonly outer: ContextNode | undefined;
  /** Stops the statements of this scope, and of no other. */
  readonly stop?: AbortSignal | undefined;
}

/** One level of a transaction, the whole or a savepoint: its state, its fence, and its calls in flight. */
export class Scope {
  readonly transaction: LeasedTransaction;
  readonly label: string;
  readonly site: CallSite;
  readonly manual: boolean;
  readonly outer: ContextNode | undefined;
  readonly stop: AbortSignal | undefined;
  /** 0 for the transaction itself. */
  readonly depth: number;
  readonly calls: ScopeCalls = new ScopeCalls(this);
  readonly hooks: Hooks = new Hooks();
  readonly flights: Flights = new Flights();
  readonly #boundary: Boundary;
  /** Made when somebody has to wait: few transactions have savepoints. */
  #gate: Gate | undefined;
  /** The open savepoint; there is one at a time. */
  #child: Scope | undefined;
  #state: TransactionState = 'active';
  #ending: Ending | undefined;
  #rollbackOnly: { readonly cause: unknown } | undefined;
  #interruption: Promise<never> | undefined;
  #interruptedBy: Error | undefined;
  /** End the wait for its work. */
  #broken: Omit<PromiseWithResolvers<never>, 'promise'> | undefined;
  /** Made when somebody asks for its signal. */
  #abortion: AbortController | undefined;

  constructor(setup: ScopeSetup) {
    this.transaction = setup.transaction;
    this.label = setup.label;
    this.site = setup.site;
    this.manual = setup.manual;
    this.outer = setup.outer;
    this.stop = setup.stop;
    this.depth = setup.parent === undefined ? 0 : setup.parent.depth + 1;
    this.#boundary = setup.boundary;
  }

  get state(): TransactionState {
    return this.#state;
  }

  get signal(): AbortSignal {
    if (this.#abortion === undefined) {
      this.#abortion = new AbortController();
      if (this.#interruptedBy !== undefined) this.#abortion.abort(this.#interruptedBy);
    }
    return this.#abortion.signal;
  }

  /** Runs `start` now or when the open savepoint has ended; rejects when that would be never. */
  inTurn<T>(options: CallOptions, start: (options: CallOptions) => Promise<T>): Promise<T> {
    if (this.#child === undefined)
      return start(this.stop === undefined ? options : this.#limited(options, 0));
    try {
      assertMakesWay(this.#child);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#gate ??= new Gate(this.transaction.environment.clock);
    return this.#gate.wait(options, (waitedMs) => start(this.#limited(options, waitedMs)));
  }

  noteSent(flight: Flight): void {
    flight.sent = true;
    this.transaction.watch.sent();
  }

  noteEnded(flight: Flight): void {
    this.flights.delete(flight);
    if (flight.sent === true) this.transaction.watch.answered();
  }

  enterChild(child: Scope): void {
    this.#child = child;
  }

  leaveChild(child: Scope): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#gate?.pass(() => this.#child === undefined);
  }

  /** A part of it failed: whoever owns this level can no longer commit it. The first cause is kept. */
  markRollbackOnly(cause: unknown): void {
    this.#rollbackOnly ??= { cause };
  }

  /** What `work` gives, or the interruption of this scope if that comes first. */
  untilBroken<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // When the transaction is gone first, `work` goes on by itself; how it ends then does not matter.
      work.then(resolve, reject);
      this.#broken = { resolve, reject };
      // `work` may have caused its own end before it first waited.
      if (this.#interruption !== undefined) resolve(this.#interruption);
      else if (this.#ending !== undefined) reject(this.closedError());
    });
  }

  /** Commits. When that is not possible, it rolls back and rejects with the reason. */
  complete(): Promise<void> {
    const obstacle = this.#obstacle();
    return obstacle === undefined ? this.#boundary.commit() : this.#giveUp(obstacle);
  }

  /** Commits what was done so far; the scope, which is a whole transaction, goes on in a new one. */
  async completePart(hookContext: ContextNode | undefined): Promise<void> {
    const obstacle = this.#obstacle();
    if (obstacle !== undefined) await this.#giveUp(obstacle);
    await this.transaction.commitAndContinue(hookContext);
  }

  /** The work failed with `error`: rolls back what is still open. @returns the error for the caller. */
  async failure(error: unknown): Promise<unknown> {
    if (this.#interruption !== undefined) return this.#interruption.catch((final: unknown) => final);
    if (this.#state === 'active') await this.rollback(error);
    return error;
  }

  /** Rolls back by decision of its own code. */
  async rollback(error: unknown): Promise<RollbackOutcome> {
    const { clock, reportError } = this.transaction.environment;
    const ending: Ending = { how: 'was rolled back', atMs: clock.now(), cause: error };
    const outcome = await this.#boundary.rollback(ending, closedError(this, ending, ending.atMs));
    await this.hooks.runRollback(this.outer, error, reportError);
    return outcome;
  }

  /** Ends it from outside. Its owner gets the error when the rollback is confirmed, or after the grace. */
  interrupt(interruption: Interruption): void {
    if (this.#state !== 'active') return;
    this.#interruption = this.#breakOff(interruption);
    // Perhaps nobody is waiting: a handle may never be used again. Events and counters report it all the
    // same.
    this.#interruption.catch(() => {});
    this.#broken?.resolve(this.#interruption);
  }

  /** Settles when an interruption under way has come to its end. Never rejects. */
  async settled(): Promise<void> {
    await this.#interruption?.catch(() => {});
  }

  /** From here on everything is refused, in this scope and in the savepoints in it. */
  fence(ending: Ending): void {
    for (const scope of this.#branch()) {
      scope.#state = 'rolling-back';
      scope.#ending = ending;
      scope.flights.breakOff();
      scope.#gate?.refuseAll(() => scope.closedError());
      if (scope !== this) scope.#broken?.reject(scope.closedError());
    }
  }

  /** 'committing' when the COMMIT is sent; 'active' again when the scope goes on in a new transaction. */
  enter(state: 'committing' | 'active'): void {
    this.#state = state;
  }

  conclude(state: TransactionState, ending: Ending): void {
    this.#state = state;
    this.#ending ??= ending;
    this.#child?.conclude(state, ending);
  }

  assertActive(): void {
    if (this.#state !== 'active') throw this.closedError();
  }

  closedError(): TransactionClosedError {
    return closedError(this, this.#ending, this.transaction.environment.clock.now());
  }

  async #giveUp(obstacle: TransactionError): Promise<never> {
    await this.rollback(obstacle);
    throw obstacle;
  }

  /** Why it must not be committed, if so. @throws TransactionClosedError */
  #obstacle(): TransactionError | undefined {
    this.assertActive();
    if (this.flights.size > 0) return this.flights.unawaited(this.label, this.transaction.environment.sites);
    if (this.#rollbackOnly === undefined) return undefined;
    return new TransactionError(
      `${this.label} was rolled back: a part of it failed (see cause) and its error was not passed on. ` +
        "To go on after a failed part, run the part with propagation 'nested'.",
      { code: 'ERR_MILLPOND_ROLLBACK_ONLY', cause: this.#rollbackOnly.cause },
    );
  }

  async #breakOff(interruption: Interruption): Promise<never> {
    const { environment } = this.transaction;
    const { how, reason, gone } = interruption;
    const ending: Ending = { how, atMs: environment.clock.now(), cause: reason };
    for (const scope of this.#branch()) {
      scope.#interruptedBy = reason;
      scope.#abortion?.abort(reason);
    }
    let outcome: RollbackOutcome = 'confirmed';
    if (gone === true) this.#boundary.abandon(ending);
    else outcome = await this.#boundary.rollback(ending, reason);
    const error = interruption.toError(outcome);
    // The caller was promised an end by now; a callback that takes longer goes on on its own.
    await this.transaction.withinGrace(this.hooks.runRollback(this.outer, error, environment.reportError));
    throw error;
  }

  #limited(options: CallOptions, waitedMs: number): CallOptions {
    const { timeoutMs, signal } = options;
    const signals = [signal, this.stop].filter((one) => one !== undefined);
    return {
      ...options,
      // What is left of its time: 0 would mean no limit.
      timeoutMs: timeoutMs === undefined || timeoutMs === 0 ? timeoutMs : Math.max(1, timeoutMs - waitedMs),
      signal: signals.length < 2 ? signals[0] : AbortSignal.any(signals),
    };
  }

  *#branch(): Generator<Scope> {
    yield this;
    for (let scope = this.#child; scope !== undefined; scope = scope.#child) yield scope;
  }
}
