import { UsageError } from '../errors/index.ts';
import { resolveLifetime, type Lifetime, type LifetimeOptions } from './cache-options.ts';
import { dependencyLabels, type Label } from './labels.ts';
import type { LoadRequest } from './loader.ts';

/** Tags of a value: fixed, or made of the value and the arguments. */
export type TagsOption<Args extends unknown[], Result> =
  | readonly string[]
  | ((value: Result, ...args: Args) => readonly string[]);

/** What `cached` takes. */
export interface CachedOptions<Args extends unknown[], Result> extends LifetimeOptions {
  /**
   * Names the values: for `invalidates`, events, and, with Redis, the other processes. @default the
   * function's name
   */
  readonly name?: string | undefined;
  /** Names by which values are invalidated; the function's name is always one. @default none */
  readonly tags?: TagsOption<Args, Result> | undefined;
  /** Tables the value depends on, besides those that its statements are seen to read. @default none */
  readonly tables?: readonly string[] | undefined;
  /** What tells calls apart. @default the arguments */
  readonly key?: ((...args: Args) => unknown) | undefined;
}

/** The function, answered from the cache where possible. */
export interface CachedFunction<This, Args extends unknown[], Result> {
  (this: This, ...args: Args): Promise<Result>;
  /** Drops the value of these arguments; inside a transaction that writes, after its COMMIT. */
  delete(...args: Args): Promise<void>;
  /** Drops all values of this function; inside a transaction that writes, after its COMMIT. */
  clear(): Promise<void>;
}

/** A cached function, with everything that is the same for all of its calls. */
export interface Call<This, Args extends unknown[], Result> {
  readonly name: string;
  readonly work: (this: This, ...args: Args) => Result | Promise<Result>;
  readonly key: ((...args: Args) => unknown) | undefined;
  readonly lifetime: Lifetime;
  readonly labels: readonly Label[];
  readonly tagsOf: ((value: Result, ...args: Args) => readonly string[]) | undefined;
}

interface CallPlaces<Args extends unknown[]> {
  keyOf(args: Args): string;
  hitNow(key: string): { readonly value: unknown } | undefined;
  read(request: LoadRequest): Promise<unknown>;
  deleteKey(key: string): Promise<void>;
  invalidate(labels: readonly Label[]): Promise<void>;
}

/** @throws UsageError, ConfigError for what cannot be cached like that */
export function callOf<This, Args extends unknown[], Result>(
  work: (this: This, ...args: Args) => Result | Promise<Result>,
  { name = work.name, tags = [], tables = [], key, ...lifetime }: CachedOptions<Args, Awaited<Result>>,
  cache: Lifetime,
): Call<This, Args, Awaited<Result>> {
  if (typeof work !== 'function') throw new UsageError('cached() takes a function.');
  if (typeof name !== 'string' || name === '') {
    throw new UsageError(
      'cached() needs a name for the function, which has none of its own: cached(fn, { name }). ' +
        'Its values are told apart from those of other functions by it.',
    );
  }
  const fixedTags = typeof tags === 'function' ? [] : tags;
  return {
    name,
    work: work as Call<This, Args, Awaited<Result>>['work'],
    key,
    lifetime: resolveLifetime(lifetime, cache, ['name', 'tags', 'tables', 'key']),
    labels: dependencyLabels([name, ...fixedTags], tables),
    tagsOf: typeof tags === 'function' ? tags : undefined,
  };
}

export function createCachedFunction<This, Args extends unknown[], Result>(
  call: Call<This, Args, Result>,
  places: CallPlaces<Args>,
): CachedFunction<This, Args, Result> {
  const { work, name, lifetime, labels, tagsOf } = call;
  function cachedCall(this: This, ...args: Args): Promise<Result> {
    try {
      const key = places.keyOf(args);
      const hit = places.hitNow(key);
      if (hit !== undefined) return Promise.resolve(hit.value as Result);
      const request: LoadRequest = {
        key,
        name,
        lifetime,
        load: () => work.apply(this, args),
        labelsOf: (value) =>
          tagsOf === undefined
            ? [...labels]
            : [...labels, ...dependencyLabels(tagsOf(value as Result, ...args))],
      };
      return places.read(request) as Promise<Result>;
    } catch (error) {
      return Promise.reject(error);
    }
  }
  return Object.assign(cachedCall, {
    delete: async (...args: Args): Promise<void> => places.deleteKey(places.keyOf(args)),
    clear: (): Promise<void> => places.invalidate(dependencyLabels([name])),
  });
}
