import { UsageError } from '../errors/index.ts';
import type { Database } from './database.ts';

/** The one thing that the databases of a process share: a list of their names. */
const open = new Map<string, Database | 'opening'>();

/**
 * Takes a name before the database is there, so that it cannot be taken twice meanwhile. @throws UsageError
 */
export function reserveName(name: string): void {
  if (open.has(name)) {
    throw new UsageError(
      `A database named "${name}" is open already. Close it first, give this one another name ` +
        `(openDatabase(url, { name: 'other' })), or keep it out of the registry (name: false).`,
    );
  }
  open.set(name, 'opening');
}

export function registerDatabase(name: string, database: Database): void {
  open.set(name, database);
}

export function releaseName(name: string): void {
  open.delete(name);
}

/**
 * The open database of that name, from anywhere; inside its transaction, calls on it join.
 * @throws UsageError listing the open names
 */
export function getDb(name: string = 'main'): Database {
  const found = open.get(name);
  if (found !== undefined && found !== 'opening') return found;
  const names = [...open].flatMap(([known, database]) => (database === 'opening' ? [] : [`"${known}"`]));
  const others = names.length === 0 ? 'No database is open' : `Open: ${names.join(', ')}`;
  const state = found === 'opening' ? 'is still being opened: await openDatabase() first' : 'is not open';
  throw new UsageError(`The database "${name}" ${state}. ${others}.`);
}

/** Every database that is open and has a name. */
export function openDatabases(): readonly Database[] {
  return [...open.values()].filter((database) => database !== 'opening');
}
