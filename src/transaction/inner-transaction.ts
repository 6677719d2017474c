import { captureCallSite, type CallSite } from './call-site.ts';
import { contextWith, currentContext, runInContext } from './context.ts';
import type { Flight } from './flights.ts';
import { aborted, timedOut } from './interruptions.ts';
import { Savepoint } from './savepoint.ts';
import type { Scope } from './scope.ts';
import type { Transaction } from './transaction.ts';
import type { ResolvedTransactionOptions } from './transaction-options.ts';
import { TransactionView } from './transaction-view.ts';

/** The work of a transaction, which commits when this resolves and rolls back when it rejects. */
export type TransactionWork<T> = (transaction: Transaction) => T | Promise<T>;

type InnerOptions = Pick<ResolvedTransactionOptions, 'readOnly' | 'timeoutMs' | 'signal' | 'name' | 'inner'>;

/** Runs `work` in `scope`, which ends as it ends. What `work` throws must come as a rejection. */
export async function conduct<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
  try {
    const result = await scope.untilBroken(work());
    await scope.complete();
    return result;
  } catch (error) {
    throw await scope.failure(error);
  }
}

/** Runs `work` as a part of the transaction: when it rejects, the whole cannot be committed any more. */
export function runJoined<T>(
  view: TransactionView,
  work: TransactionWork<T>,
  options: InnerOptions,
): Promise<T> {
  const { scope } = view;
  const joined = new TransactionView(scope, { readOnly: view.readOnly || options.readOnly, joined: true });
  const context = contextWith(scope.transaction.environment.databaseKey, joined);
  return underWay(scope, flightOf('transaction()', options.name, captureCallSite()), async () => {
    scope.assertActive();
    options.signal?.throwIfAborted();
    const stopWatching = watchLimits(scope, options, true);
    try {
      return await runInContext(context, () => work(joined.handle));
    } catch (error) {
      scope.markRollbackOnly(error);
      throw error;
    } finally {
      stopWatching();
    }
  });
}

/** Runs `work` under a savepoint: when it rejects, only what it did is undone. */
export function runNested<T>(
  view: TransactionView,
  work: TransactionWork<T>,
  options: InnerOptions,
): Promise<T> {
  const { scope } = view;
  const site = captureCallSite();
  const outer = currentContext();
  return underWay(scope, flightOf('transaction()', options.name, site), async () => {
    scope.assertActive();
    options.signal?.throwIfAborted();
    return scope.inTurn({ signal: options.signal }, async () => {
      const savepoint = new Savepoint(scope, {
        site,
        manual: false,
        outer,
        stop: stopFor(options),
        onEnd: () => {},
      });
      // Not awaited: its failure ends the savepoint, which is how `conduct` learns of it.
      void savepoint.open().catch(() => {});
      const inner = innerView(view, savepoint, options);
      const context = contextWith(scope.transaction.environment.databaseKey, inner);
      const stopWatching = watchLimits(savepoint.scope, options, true);
      try {
        return await conduct(savepoint.scope, async () => runInContext(context, () => work(inner.handle)));
      } finally {
        stopWatching();
      }
    });
  });
}

/** A savepoint that its handle ends. */
export async function beginNested(view: TransactionView, options: InnerOptions): Promise<Transaction> {
  const { scope } = view;
  scope.assertActive();
  options.signal?.throwIfAborted();
  const site = captureCallSite();
  const outer = currentContext();
  const flight = flightOf('begin()', options.name, site);
  scope.flights.add(flight);
  try {
    return await scope.inTurn({ signal: options.signal }, async () => {
      let stopWatching = (): void => {};
      const onEnd = (): void => {
        stopWatching();
        scope.noteEnded(flight);
      };
      const savepoint = new Savepoint(scope, { site, manual: true, outer, stop: stopFor(options), onEnd });
      stopWatching = watchLimits(savepoint.scope, options, false);
      await savepoint.open();
      return innerView(view, savepoint, options).handle;
    });
  } catch (error) {
    scope.noteEnded(flight);
    throw error;
  }
}

function innerView(
  outer: TransactionView,
  { scope }: Savepoint,
  { readOnly, inner }: InnerOptions,
): TransactionView {
  const nests = inner === 'nest';
  return new TransactionView(scope, { readOnly: outer.readOnly || readOnly, joined: false, nests });
}

function flightOf(text: string, name: string | undefined, site: CallSite): Flight {
  return { kind: 'inner', text, name, site };
}

/** Counts `run` among what is under way in `scope`, so that the scope cannot be committed around it. */
function underWay<T>(scope: Scope, flight: Flight, run: () => Promise<T>): Promise<T> {
  scope.flights.add(flight);
  const promise = run().finally(() => scope.noteEnded(flight));
  flight.promise = promise;
  return promise;
}

/** Only a savepoint with limits of its own needs to stop its statements separately from all others. */
function stopFor({ timeoutMs = 0, signal }: InnerOptions): AbortController | undefined {
  return timeoutMs > 0 || signal !== undefined ? new AbortController() : undefined;
}

/**
 * Limits given with an inner transaction end the scope it runs in. `keepAlive` where a caller waits for that.
 * @returns a function that lifts them
 */
function watchLimits(scope: Scope, { timeoutMs = 0, signal }: InnerOptions, keepAlive: boolean): () => void {
  const { clock } = scope.transaction.environment;
  const onAbort = (): void => scope.interrupt(aborted(scope.label, signal!.reason));
  const end = (): void => scope.interrupt(timedOut(scope.label, timeoutMs));
  const timer = timeoutMs > 0 ? clock.after(timeoutMs, end, { keepAlive }) : undefined;
  signal?.addEventListener('abort', onAbort, { once: true });
  return () => {
    timer?.cancel();
    signal?.removeEventListener('abort', onAbort);
  };
}
