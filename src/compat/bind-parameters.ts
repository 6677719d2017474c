import { UsageError } from '../errors/index.ts';
import type { Params } from '../sql/index.ts';

/**
 * Parameters as better-sqlite3 takes them: values one by one, arrays of values, or one object of names.
 * @throws UsageError for names and values together
 */
export function bindParameters(given: readonly unknown[]): Params {
  const names = given.filter(isNames);
  if (names.length === 0) return given.flat(1);
  if (names.length === 1 && given.length === 1) return names[0]!;
  throw new UsageError('Give a statement either one object of named parameters, or values; not both.');
}

function isNames(given: unknown): given is Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === Object.prototype || prototype === null;
}
