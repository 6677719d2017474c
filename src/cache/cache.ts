import { UsageError } from '../errors/index.ts';
import type { EventName, Listener } from '../events/index.ts';
import type { CacheKeys } from './cache-keys.ts';
import {
  resolveLifetime,
  type Lifetime,
  type LifetimeOptions,
  type ResolvedCacheOptions,
} from './cache-options.ts';
import { callOf, createCachedFunction, type CachedFunction, type CachedOptions } from './cached-function.ts';
import type { CacheReport } from './cache-report.ts';
import type { CacheCounters } from './counters.ts';
import type { Coupling } from './coupling.ts';
import { encodeArguments, encodeKey } from './key.ts';
import type { Invalidator } from './invalidator.ts';
import { ANY_TABLE, dependencyLabels, keyLabel, tableLabel, type Label } from './labels.ts';
import type { LoadContext, Loader, LoadRequest } from './loader.ts';
import { CHANNEL, followNotifications, type Listening, type Notifications } from './notifications.ts';
import type { MemoryTier } from './memory-tier.ts';
import type { ReadThrough } from './read-through.ts';
import type { SecondTierStats } from './second-tier.ts';
import type { SingleFlight } from './single-flight.ts';

/** What `getOrSet` and `set` take besides the key. */
export interface EntryOptions<T = unknown> extends LifetimeOptions {
  /** Names by which the value is invalidated, fixed or made of it. @default none */
  readonly tags?: readonly string[] | ((value: T) => readonly string[]) | undefined;
  /** Tables the value depends on, besides those that the load is seen to read. @default none */
  readonly tables?: readonly string[] | undefined;
  /** How the value appears in events. @default none */
  readonly name?: string | undefined;
}

export interface CacheStats extends Readonly<CacheCounters> {
  readonly name: string;
  readonly entries: number;
  readonly maxEntries: number;
  /** About what the entries take in memory. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** Loads under way. */
  readonly loading: number;
  /** Share of calls that were hits, not counting bypassed ones: 0 to 1; 0 before the first. */
  readonly hitRate: number;
  readonly redis?: SecondTierStats;
}

/** What a cache is made of; put together by `createCache`. */
export interface CacheParts {
  readonly name: string;
  readonly options: ResolvedCacheOptions;
  readonly keys: CacheKeys;
  readonly memory: MemoryTier;
  readonly flights: SingleFlight;
  readonly coupling: Coupling;
  readonly invalidator: Invalidator;
  readonly loader: Loader;
  readonly reader: ReadThrough;
  readonly report: CacheReport;
  readonly now: () => number;
  readonly on: <Name extends EventName>(name: Name, listener: Listener<Name>) => () => void;
  readonly second: { stats(): SecondTierStats; close(): Promise<void> } | undefined;
  readonly listening: Listening | undefined;
  /** Called once, when it is closed. */
  readonly onClose: () => void;
}

/**
 * Keeps what is costly to load. What a committed write changed is dropped before the write is answered.
 * Inside a transaction that writes, the cache is neither used nor filled.
 */
export class Cache implements AsyncDisposable {
  readonly name: string;
  readonly #parts: CacheParts;
  readonly #functions = new Set<string>();
  readonly #following: Notifications[] = [];
  #closing: Promise<void> | undefined;

  constructor(parts: CacheParts) {
    this.name = parts.name;
    this.#parts = parts;
  }

  /**
   * The value of `key`; if there is none, what `load` returns, which is then kept. Calls that ask for the
   * same key in the meantime wait for the one load. What `load` rejects with is passed on and not kept.
   *
   * @throws TimeoutError after `loadTimeoutMs`
   */
  getOrSet<T>(
    key: unknown,
    load: (context: LoadContext) => T | Promise<T>,
    options?: EntryOptions<T>,
  ): Promise<T> {
    try {
      if (typeof load !== 'function')
        throw new UsageError('getOrSet() takes a key and a function that loads.');
      const full = this.#parts.keys.ofKey(key);
      const hit = this.#parts.reader.hitNow(full, options?.name);
      if (hit !== undefined) return Promise.resolve(hit.value as T);
      const request: LoadRequest = {
        key: full,
        name: options?.name,
        lifetime: this.#lifetimeOf(options),
        load,
        labelsOf: (value) => labelsOf(value as T, options),
      };
      return this.#read(request) as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** What is kept under `key`, if it may be given; otherwise undefined. Loads nothing. */
  async get<T>(key: unknown): Promise<T | undefined> {
    const full = this.#parts.keys.ofKey(key);
    if (this.#closing !== undefined || this.#parts.coupling.isWriting()) return undefined;
    return (await this.#parts.reader.find(full)) as T | undefined;
  }

  /** The same from the memory of this process, at once. */
  peek<T>(key: unknown): T | undefined {
    const full = this.#parts.keys.ofKey(key);
    if (this.#closing !== undefined || this.#parts.coupling.isWriting()) return undefined;
    return this.#parts.reader.inMemory(full)?.value as T | undefined;
  }

  /**
   * Keeps `value` under `key`. Inside a transaction that writes it is not kept, since it may be rolled back;
   * what was there before is dropped after the COMMIT.
   */
  async set<T>(key: unknown, value: T, options?: EntryOptions<T>): Promise<void> {
    const { keys, loader, coupling } = this.#parts;
    const full = keys.ofKey(key);
    const lifetime = this.#lifetimeOf(options);
    const labels = labelsOf(value, options);
    if (this.#closing !== undefined) return;
    const isWriting = coupling.isWriting();
    await this.#deleteKey(full);
    if (!isWriting) loader.put({ key: full, name: options?.name, lifetime, value, labels });
  }

  /** Drops what is kept under `key`; inside a transaction that writes, after its COMMIT. */
  async delete(key: unknown): Promise<void> {
    await this.#deleteKey(this.#parts.keys.ofKey(key));
  }

  /**
   * The function, answered from the cache where possible. Calls are told apart by their arguments, its values
   * are invalidated by its name, by `tags`, and by the tables that its statements read.
   */
  cached<This, Args extends unknown[], Result>(
    work: (this: This, ...args: Args) => Result | Promise<Result>,
    options: CachedOptions<Args, Awaited<Result>> = {},
  ): CachedFunction<This, Args, Awaited<Result>> {
    const call = callOf(work, options, this.#parts.options);
    if (this.#functions.has(call.name)) {
      throw new UsageError(
        `The cache "${this.name}" has a function "${call.name}" already, and their values would be mixed ` +
          'up. Give this one another `name`.',
      );
    }
    this.#functions.add(call.name);
    const { keys } = this.#parts;
    const { key: toKey } = call;
    const name = encodeKey(call.name);
    return createCachedFunction(call, {
      keyOf: (args) =>
        keys.ofCall(name, toKey === undefined ? encodeArguments(args) : encodeKey(toKey(...args))),
      hitNow: (key) => this.#parts.reader.hitNow(key, call.name),
      read: (request) => this.#read(request),
      deleteKey: (key) => this.#deleteKey(key),
      invalidate: (labels) => this.#invalidate(labels),
    });
  }

  /**
   * The function, after which the values of these tags (or cached functions, by name) are dropped; also when
   * it rejects, since part of its work may be done. Inside a transaction they are dropped after its COMMIT,
   * and not at all if it rolls back. Not needed for tables: their changes are noticed.
   */
  invalidates<This, Args extends unknown[], Result>(
    tags: string | readonly string[],
    work: (this: This, ...args: Args) => Result | Promise<Result>,
  ): (this: This, ...args: Args) => Promise<Awaited<Result>> {
    if (typeof work !== 'function') throw new UsageError('invalidates() takes tags and a function.');
    const labels = dependencyLabels(typeof tags === 'string' ? [tags] : tags);
    const invalidate = (): Promise<void> => this.#invalidate(labels);
    return async function invalidatingCall(this: This, ...args: Args): Promise<Awaited<Result>> {
      try {
        return await work.apply(this, args);
      } finally {
        await invalidate();
      }
    };
  }

  /** Drops what has one of these tags; inside a transaction that writes, after its COMMIT. */
  async invalidateTags(...tags: string[]): Promise<void> {
    await this.#invalidate(dependencyLabels(tags));
  }

  /** Drops what depends on one of these tables; inside a transaction that writes, after its COMMIT. */
  async invalidateTables(...tables: string[]): Promise<void> {
    await this.#invalidate(tables.map(tableLabel));
  }

  /**
   * Drops what depends on a table whenever another program changes it, until the cache is closed. For tables
   * with the triggers of `changeTriggers()`; PostgreSQL only: on SQLite other writers are noticed anyway.
   * @throws ConnectionError where the server does not confirm
   */
  async followNotifications(channel: string = CHANNEL): Promise<void> {
    const { listening, invalidator } = this.#parts;
    if (listening === undefined) throw new UsageError('This cache has no database that could notify it.');
    const following = await followNotifications(listening, channel, (labels) => {
      void invalidator.invalidate(labels, 'foreign');
    });
    this.#following.push(following);
    // Drops everything, since changes may have been missed before it listened; and the cache may have been
    // closed in between.
    await invalidator.invalidate([ANY_TABLE], 'foreign');
    if (this.#closing !== undefined) await following.close();
  }

  /** Drops everything, at once, also inside a transaction. */
  clear(): Promise<void> {
    return this.#parts.invalidator.everything('local');
  }

  /**
   * Removes expired entries; otherwise that happens when they are asked for, or when room is needed. @returns
   * how many
   */
  cleanup(): number {
    return this.#parts.memory.cleanup(this.#parts.now());
  }

  stats(): CacheStats {
    const { memory, flights, report, options, second } = this.#parts;
    const { hits, misses } = report.counters;
    return {
      name: this.name,
      entries: memory.size,
      maxEntries: options.maxEntries,
      bytes: memory.bytes,
      maxBytes: options.maxBytes,
      loading: flights.size,
      hitRate: hits + misses === 0 ? 0 : hits / (hits + misses),
      ...report.counters,
      ...(second === undefined ? {} : { redis: second.stats() }),
    };
  }

  /** The events of this cache's database, if it has one, and of all its caches. @returns how to stop it */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    return this.#parts.on(name, listener);
  }

  /** Drops everything and disconnects from Redis. Functions go on, uncached. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const { coupling, flights, memory, second, onClose } = this.#parts;
    onClose();
    coupling.close();
    flights.makeAllObsolete();
    memory.clear();
    await Promise.allSettled([second?.close(), ...this.#following.map((following) => following.close())]);
  }

  #read(request: LoadRequest): Promise<unknown> {
    const { reader } = this.#parts;
    return this.#closing === undefined ? reader.read(request) : reader.bypass(request);
  }

  async #invalidate(labels: readonly Label[]): Promise<void> {
    const { coupling, invalidator } = this.#parts;
    const invalidate = (): Promise<void> => invalidator.invalidate(labels, 'local');
    if (!coupling.defer(invalidate)) await invalidate();
  }

  async #deleteKey(key: string): Promise<void> {
    const { coupling, invalidator } = this.#parts;
    const invalidate = (): Promise<void> => invalidator.invalidateKey(key, keyLabel(key));
    if (!coupling.defer(invalidate)) await invalidate();
  }

  #lifetimeOf(options: LifetimeOptions | undefined): Lifetime {
    if (options === undefined) return this.#parts.options;
    return resolveLifetime(options, this.#parts.options, ['tags', 'tables', 'name']);
  }
}

function labelsOf<T>(value: T, options: EntryOptions<T> | undefined): Label[] {
  if (options === undefined) return [];
  const { tags = [], tables = [] } = options;
  return dependencyLabels(typeof tags === 'function' ? tags(value) : tags, tables);
}
