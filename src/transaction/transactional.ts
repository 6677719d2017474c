import { TransactionError, UsageError } from '../errors/index.ts';
import type { Transaction } from './transaction.ts';
import type { TransactionOptions } from './transaction-options.ts';

/** What `transactional` needs of a database. */
interface TransactionRunner {
  readonly name: string;
  transaction<T>(
    work: (transaction: Transaction | undefined) => T | Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;
}

export interface TransactionalOptions extends TransactionOptions {
  /**
   * The database by its name, or several: their transactions begin in this order and commit in the opposite
   * one, each on its own. @default 'main'
   */
  readonly database?: string | readonly string[] | undefined;
}

/** How the transaction on one of several databases ended. */
export interface DatabaseOutcome {
  readonly database: string;
  /** `pending`: it joined a transaction that is still running. */
  readonly outcome: 'committed' | 'rolled-back' | 'unknown' | 'pending';
}

/**
 * Several databases were to commit together, and one failed after another had committed already. There is no
 * two-phase commit between them: what is committed stays.
 */
export class PartialCommitError extends TransactionError {
  readonly outcomes: readonly DatabaseOutcome[];

  constructor(outcomes: readonly DatabaseOutcome[], cause: unknown) {
    const list = outcomes.map(({ database, outcome }) => `${database} ${outcome}`).join(', ');
    super(`The transactions on several databases ended differently: ${list}. What is committed stays.`, {
      code: 'ERR_MILLPOND_PARTIAL_COMMIT',
      cause,
    });
    this.outcomes = outcomes;
  }
}

/** Finds an open database by its name. */
export type ResolveDatabase = (name?: string) => TransactionRunner;

type AnyFunction<This, Args extends unknown[], Result> = (
  this: This,
  ...args: Args
) => Result | Promise<Result>;
type Wrapped<This, Args extends unknown[], Result> = (this: This, ...args: Args) => Promise<Result>;

/** `transactional(fn, options)`: the function, run in a transaction each time it is called. */
export type Transactional = <This, Args extends unknown[], Result>(
  work: AnyFunction<This, Args, Result>,
  options?: TransactionalOptions,
) => Wrapped<This, Args, Awaited<Result>>;

/** `@Transactional(options)`: the same for a method. */
export type TransactionalDecorator = (
  options?: TransactionalOptions,
) => <This, Args extends unknown[], Result>(
  method: Wrapped<This, Args, Result>,
  context: ClassMethodDecoratorContext<This, Wrapped<This, Args, Result>>,
) => Wrapped<This, Args, Result>;

export function createTransactional(resolve: ResolveDatabase): Transactional {
  return (work, options) => {
    if (typeof work !== 'function') throw new UsageError('transactional() takes a function.');
    return wrap(work, options, resolve) as never;
  };
}

export function createTransactionalDecorator(resolve: ResolveDatabase): TransactionalDecorator {
  return (options) => (method, context) => {
    // Experimental decorators pass a name here, and the prototype as `method`.
    if (typeof method !== 'function' || (context as { kind?: unknown } | undefined)?.kind !== 'method') {
      throw new UsageError(
        '@Transactional() is a standard decorator for methods. ' +
          'Turn off experimentalDecorators, or wrap a function in transactional().',
      );
    }
    return wrap(method, options, resolve);
  };
}

function wrap<This, Args extends unknown[], Result>(
  work: AnyFunction<This, Args, Result>,
  { database, ...given }: TransactionalOptions = {},
  resolve: ResolveDatabase,
): Wrapped<This, Args, Result> {
  const names = typeof database === 'string' || database === undefined ? [database] : [...new Set(database)];
  if (names.length === 0) throw new UsageError('transactional() was given an empty list of databases.');
  const options = given.name === undefined && work.name !== '' ? { ...given, name: work.name } : given;
  return function transactionalCall(this: This, ...args: Args): Promise<Result> {
    const body = (): Result | Promise<Result> => work.apply(this, args);
    try {
      // The databases are looked up at each call: the function is often made before they are open.
      const runners = names.map((name) => resolve(name));
      return runners.length === 1 ? runners[0]!.transaction(body, options) : runInAll(runners, options, body);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/** One transaction inside the other, the first database's outermost. */
async function runInAll<Result>(
  runners: readonly TransactionRunner[],
  options: TransactionOptions,
  body: () => Result | Promise<Result>,
): Promise<Result> {
  const handles: (Transaction | undefined)[] = [];
  const outcomes = (): DatabaseOutcome[] =>
    runners.map(({ name }, index) => ({ database: name, outcome: outcomeOf(handles[index]) }));
  const isPartial = (): boolean => outcomes().some(({ outcome }) => outcome === 'committed');
  // Only the outermost may try again: it takes the others along.
  const outermost = { ...options, retry: retryUnless(isPartial, options.retry) };
  const inner = { ...options, retry: undefined };
  const runFrom = async (index: number): Promise<Result> => {
    const runner = runners[index];
    if (runner === undefined) return body();
    const enter = (handle: Transaction | undefined): Promise<Result> => {
      handles[index] = handle;
      return runFrom(index + 1);
    };
    return runner.transaction(enter, index === 0 ? outermost : inner);
  };
  try {
    return await runFrom(0);
  } catch (error) {
    throw isPartial() ? new PartialCommitError(outcomes(), error) : error;
  }
}

/** No second attempt once one of the databases has committed. */
function retryUnless(
  isPartial: () => boolean,
  retry: TransactionOptions['retry'],
): TransactionOptions['retry'] {
  if (retry === undefined || retry === 0) return undefined;
  const { when = () => true, ...policy } = typeof retry === 'number' ? { attempts: retry } : retry;
  return { ...policy, when: (error) => !isPartial() && when(error) };
}

function outcomeOf(handle: Transaction | undefined): DatabaseOutcome['outcome'] {
  switch (handle?.state) {
    case 'committed':
    case 'unknown':
      return handle.state;
    case 'active':
    case 'committing':
      return 'pending';
    case 'rolling-back':
    case 'rolled-back':
    case undefined:
      return 'rolled-back';
  }
}
