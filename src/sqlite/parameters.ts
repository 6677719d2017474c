import { parameterError } from '../errors/index.ts';

/**
 * What may be bound on SQLite, after {@link toBindable}: what crosses to a worker and into SQLite unchanged.
 */
export type Bindable = null | number | bigint | string | Uint8Array;

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const INT64_LIMIT = 2 ** 63;

/**
 * Checks and converts every parameter by the rules of docs/values.md. Returns the same array where nothing
 * needs a change, which is the usual case.
 *
 * @throws UsageError naming the position and the kind of value, never the value
 */
export function toBindable(params: readonly unknown[]): readonly Bindable[] {
  for (let index = 0; index < params.length; index += 1) {
    if (!isBindableAsIs(params[index])) return params.map((value, position) => convert(value, position));
  }
  return params as readonly Bindable[];
}

function isBindableAsIs(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value) || isFraction(value);
  if (typeof value === 'string') return value.isWellFormed();
  return value === null;
}

/** A number that is stored as REAL without loss: fractions, infinities, and magnitudes beyond any int64. */
function isFraction(value: number): boolean {
  return !Number.isInteger(value) ? !Number.isNaN(value) : Math.abs(value) >= INT64_LIMIT;
}

function convert(value: unknown, index: number): Bindable {
  switch (typeof value) {
    case 'number':
      if (Number.isNaN(value))
        throw parameterError(index, 'NaN', 'SQLite would store NULL. Bind null where that is meant');
      if (Number.isSafeInteger(value) || isFraction(value)) return value;
      throw parameterError(
        index,
        'an integer beyond ±(2^53 − 1)',
        'its last digits may already be lost. Bind a bigint',
      );
    case 'string':
      if (value.isWellFormed()) return value;
      throw parameterError(
        index,
        'a string with a lone surrogate',
        'it has no UTF-8 form. See String.prototype.toWellFormed',
      );
    case 'bigint':
      if (value >= INT64_MIN && value <= INT64_MAX) return value;
      throw parameterError(
        index,
        'a bigint beyond 64 bits',
        'SQLite integers end at 2^63 − 1. Bind it as a string',
      );
    case 'boolean':
      return value ? 1 : 0;
    case 'object':
      return convertObject(value, index);
    case 'undefined':
      throw parameterError(index, 'undefined', 'bind null where NULL is meant');
    default:
      throw parameterError(index, `a ${typeof value}`, 'it cannot be stored');
  }
}

function convertObject(value: object | null, index: number): Bindable {
  if (value === null) return null;
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw parameterError(index, 'an invalid Date', 'it names no moment');
    return value.toISOString();
  }
  if (value instanceof Uint8Array) return ownBytes(value, index);
  const kind = Array.isArray(value)
    ? 'an array'
    : `an object (${value.constructor?.name ?? 'no constructor'})`;
  throw parameterError(
    index,
    kind,
    'SQLite has no such type. Bind JSON.stringify(value), or one parameter for each element',
  );
}

/** The bytes in a form that may cross to a worker: a view would take along the whole buffer behind it. */
function ownBytes(value: Uint8Array, index: number): Uint8Array {
  const { buffer, byteLength } = value;
  const isWhole = buffer instanceof ArrayBuffer && !buffer.resizable && byteLength === buffer.byteLength;
  if (isWhole && byteLength > 0) return value;
  try {
    return new Uint8Array(value);
  } catch {
    throw parameterError(
      index,
      'a Uint8Array whose buffer was transferred or cut',
      'it has no bytes any more',
    );
  }
}

/**
 * The value as `node:sqlite` must get it: it binds every number as REAL, so that `select ? || ''` with 5
 * gives '5.0'. An integer goes in as a BigInt, and is an INTEGER then.
 */
export function toDriverValue(value: Bindable): Bindable {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}

/** An integer as it came in BigInt mode: a number where a number holds it exactly. */
export function fromBigInt(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
