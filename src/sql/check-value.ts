import { UsageError } from '../errors/index.ts';
import { kindOf } from './describe.ts';
import { Sql } from './sql.ts';

/** PostgreSQL's protocol counts values in 16 bits. SQLite's own limit is lower, and SQLite names it. */
const MOST_VALUES = 65_535;

/**
 * True for what an engine may be able to bind. Whether it can, and as which type, is for the engine to say.
 */
export function isBindable(value: unknown): boolean {
  switch (typeof value) {
    case 'undefined':
    case 'function':
    case 'symbol':
      return false;
    case 'object':
      return !(value instanceof Sql);
    default:
      return true;
  }
}

/** Says why a value is not bindable; `place` is the parameter's name or position, never what it holds. */
export function unbindable(place: string, value: unknown): UsageError {
  if (value === undefined) return new UsageError(`${place} is undefined; bind null to mean no value.`);
  if (value instanceof Sql) {
    return new UsageError(
      `${place} is an sql fragment; fragments go into sql\`…\` templates, not among parameters.`,
    );
  }
  return new UsageError(`${place} is ${kindOf(value)}, which no engine can bind.`);
}

/** @throws UsageError */
export function checkCount(values: number): void {
  if (values > MOST_VALUES) {
    throw new UsageError(
      `A statement takes at most ${MOST_VALUES} values, not ${values}: send them in several.`,
    );
  }
}
