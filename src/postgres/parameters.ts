import { parameterError } from '../errors/index.ts';
import { writeArray } from './array-text-writing.ts';
import type { WireValue } from './wire-writer.ts';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const INT64_LIMIT = 2 ** 63;

/**
 * Checks and converts every parameter by the rules of docs/values.md: to the text that the server reads, or
 * to bytes.
 *
 * @throws UsageError naming the position and the kind of value, never the value
 */
export function toWireValues(params: readonly unknown[]): readonly WireValue[] {
  const values: WireValue[] = [];
  for (let index = 0; index < params.length; index += 1) values.push(toWireValue(params[index], index));
  return values;
}

function toWireValue(value: unknown, index: number): WireValue {
  switch (typeof value) {
    case 'string':
      return checkText(value, index);
    case 'number':
      return numberText(value, index);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return bigintText(value, index);
    case 'object':
      return value instanceof Uint8Array ? bytesOf(value, index) : objectText(value, index);
    case 'undefined':
      throw parameterError(index, 'undefined', 'bind null where NULL is meant');
    default:
      throw parameterError(index, `a ${typeof value}`, 'it cannot be stored');
  }
}

function checkText(value: string, index: number): string {
  if (!value.isWellFormed()) {
    throw parameterError(
      index,
      'a string with a lone surrogate',
      'it has no UTF-8 form. See String.prototype.toWellFormed',
    );
  }
  if (value.includes('\0')) {
    throw parameterError(index, 'a string with a NUL character', 'PostgreSQL has no such text. Bind bytes');
  }
  return value;
}

function numberText(value: number, index: number): string {
  // Fractions, NaN, infinities, and magnitudes beyond any integer go as they are.
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < INT64_LIMIT) {
    throw parameterError(
      index,
      'an integer beyond ±(2^53 − 1)',
      'its last digits may already be lost. Bind a bigint',
    );
  }
  return Object.is(value, -0) ? '-0' : String(value);
}

function bigintText(value: bigint, index: number): string {
  if (value >= INT64_MIN && value <= INT64_MAX) return value.toString();
  throw parameterError(index, 'a bigint beyond 64 bits', 'bind it as a string, for a numeric column');
}

function objectText(value: object | null, index: number): string | null {
  if (value === null) return null;
  if (value instanceof Date) return dateText(value, index);
  if (Array.isArray(value)) return writeArray(value, (element) => elementText(element, index));
  if (isPlain(value)) return jsonText(value, index);
  const kind = `an object (${value.constructor?.name ?? 'no constructor'})`;
  throw parameterError(index, kind, 'bind a plain object for JSON, or a Uint8Array for bytes');
}

/** An element of an array, nested arrays apart. */
function elementText(value: unknown, index: number): string | null {
  if (value instanceof Uint8Array) return `\\x${Buffer.from(bytesOf(value, index)).toString('hex')}`;
  return toWireValue(value, index) as string | null;
}

function dateText(value: Date, index: number): string {
  if (Number.isNaN(value.getTime())) throw parameterError(index, 'an invalid Date', 'it names no moment');
  const text = value.toISOString();
  // The server has no year 0, and reads no sign before a year.
  const year = value.getUTCFullYear();
  if (year >= 1 && year <= 9_999) return text;
  const rest = text.slice(text.indexOf('-', 1));
  const shown = year >= 1 ? year : 1 - year;
  return `${String(shown).padStart(4, '0')}${rest}${year >= 1 ? '' : ' BC'}`;
}

function jsonText(value: object, index: number): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined;
  }
  if (text === undefined) throw parameterError(index, 'an object without a JSON form', 'bind its text');
  return checkText(text, index);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function bytesOf(value: Uint8Array, index: number): Uint8Array {
  try {
    // A view of memory that was transferred or cut has no bytes, and says so here.
    return new Uint8Array(value);
  } catch {
    throw parameterError(
      index,
      'a Uint8Array whose buffer was transferred or cut',
      'it has no bytes any more',
    );
  }
}
