import { UsageError } from '../errors/index.ts';
import type { Cache } from './cache.ts';

const open = new Map<string, Cache>();

/** @throws UsageError where a cache of that name is open */
export function registerCache(name: string, cache: Cache): void {
  if (open.has(name)) {
    throw new UsageError(
      `A cache named "${name}" is open already. Close it first, give this one another name ` +
        `(createCache(db, { name: 'other' })), or keep it out of the registry (name: false).`,
    );
  }
  open.set(name, cache);
}

export function releaseCache(name: string, cache: Cache): void {
  if (open.get(name) === cache) open.delete(name);
}

/**
 * The open cache of that name, from anywhere. @throws UsageError listing the open names
 */
export function getCache(name: string = 'main'): Cache {
  const found = open.get(name);
  if (found !== undefined) return found;
  const names = [...open.keys()].map((known) => `"${known}"`);
  const others = names.length === 0 ? 'No cache is open' : `Open: ${names.join(', ')}`;
  throw new UsageError(`The cache "${name}" is not open. ${others}.`);
}
