import { systemClock } from '../async/index.ts';
import { servicesOf, type Database } from '../database/index.ts';
import { UsageError } from '../errors/index.ts';
import { EventHub } from '../events/index.ts';
import { buildCache, type CacheSurroundings } from './build-cache.ts';
import type { Cache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import { registerCache, releaseCache } from './cache-registry.ts';

/**
 * A cache of what is loaded from `db`: what is committed there automatically invalidates what was read from
 * the changed tables. Without a database, values are invalidated by time, by tag and by key.
 *
 * @throws ConfigError listing every fault of the options
 * @throws UsageError where a cache of that name is open
 */
export function createCache(db: Database, options?: CacheOptions): Cache;
export function createCache(options?: CacheOptions): Cache;
export function createCache(first: Database | CacheOptions = {}, second: CacheOptions = {}): Cache {
  const database = isDatabase(first) ? first : undefined;
  const options = database === undefined ? (first as CacheOptions) : second;
  const name = options.name ?? database?.name ?? 'main';
  const shown = name === false ? (database?.name ?? 'unnamed') : name;
  if (typeof shown !== 'string' || shown === '') throw new UsageError('The name of a cache is a string.');
  const cache = buildCache(options, {
    name: shown,
    ...(database === undefined ? alone(shown) : beside(database)),
    clock: systemClock,
    random: Math.random,
    onClose: () => name !== false && releaseCache(name, cache),
  });
  if (name !== false) registerCache(name, cache);
  return cache;
}

type Place = Pick<CacheSurroundings, 'database' | 'listening' | 'announce' | 'on'>;

function beside(database: Database): Place {
  const { announce } = servicesOf(database);
  return { database, listening: database, announce, on: (name, listener) => database.on(name, listener) };
}

function alone(name: string): Place {
  const hub = new EventHub(name, (error, event) => {
    process.emitWarning(`A listener of "${event}" failed: ${String(error)}`, 'MillpondWarning');
  });
  return {
    database: undefined,
    listening: undefined,
    announce: hub,
    on: (event, listener) => hub.on(event, listener),
  };
}

function isDatabase(given: Database | CacheOptions): given is Database {
  return typeof (given as Partial<Database>).on === 'function';
}
