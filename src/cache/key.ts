import { UsageError } from '../errors/index.ts';

/** Deeper than any argument that is meant as a key; a cycle ends here too. */
const MAX_DEPTH = 64;

/**
 * A text for a value, the same for equal values and for no others: `1`, `'1'`, `1n`, `true`, a Date and a
 * Buffer of the same content all differ, as do `undefined`, a hole and a missing property. The order of an
 * object's properties does not count. Lengths come before contents, so no content can end its part early.
 *
 * @throws UsageError for what has no content to compare: functions, symbols, instances of classes
 */
export function encodeKey(value: unknown): string {
  return encode(value, 0);
}

/** The same for the arguments of a call: a list that has nothing but its items, and no holes. */
export function encodeArguments(args: readonly unknown[]): string {
  let items = '';
  for (const argument of args) items += encode(argument, 1);
  return `[${args.length}:${items}]`;
}

function encode(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return encodeText(value);
    case 'number':
      // Dividing by -0 gives -Infinity, so a function may well return something else for it.
      return Object.is(value, -0) ? 'n-0;' : `n${value};`;
    case 'bigint':
      return `i${value};`;
    case 'boolean':
      return value ? 'T' : 'F';
    case 'undefined':
      return 'U';
    case 'object':
      return value === null ? 'N' : encodeObject(value, depth);
    default:
      throw refusal(`a ${typeof value}`);
  }
}

function encodeText(text: string): string {
  return `s${text.length}:${text}`;
}

function encodeObject(value: object, depth: number): string {
  if (depth >= MAX_DEPTH) throw refusal(`an object more than ${MAX_DEPTH} levels deep`);
  if (Array.isArray(value)) return encodeArray(value, depth);
  if (value instanceof Date) return `d${value.getTime()};`;
  if (ArrayBuffer.isView(value)) return encodeBytes(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return encodeRecord(value, depth);
  throw refusal(`an instance of ${nameOf(value)}`);
}

function encodeArray(array: readonly unknown[], depth: number): string {
  let items = '';
  let present = 0;
  for (let index = 0; index < array.length; index += 1) {
    const isPresent = Object.hasOwn(array, index);
    if (isPresent) present += 1;
    items += isPresent ? encode(array[index], depth + 1) : 'H';
  }
  if (Reflect.ownKeys(array).length !== present + 1) throw refusal('an array with properties of its own');
  return `[${array.length}:${items}]`;
}

function encodeBytes(view: ArrayBufferView): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return `b${nameOf(view)},${view.byteLength}:${bytes.toString('base64')};`;
}

function encodeRecord(record: object, depth: number): string {
  const names = Reflect.ownKeys(record);
  const entries = names.map((name): string => {
    if (typeof name === 'symbol') throw refusal('an object with a symbol as a name');
    return name;
  });
  entries.sort();
  let text = `{${entries.length}:`;
  for (const name of entries) {
    text += encodeText(name) + encode((record as Record<string, unknown>)[name], depth + 1);
  }
  return `${text}}`;
}

function nameOf(value: object): string {
  const maker: unknown = (value as { constructor?: unknown }).constructor;
  return typeof maker === 'function' ? maker.name : 'a class';
}

function refusal(what: string): UsageError {
  return new UsageError(
    `A cache key cannot hold ${what}. Give the cached function a \`key\` option that makes a key of its ` +
      'arguments: strings, numbers, bigints, booleans, null, undefined, Date, bytes, arrays, plain objects.',
  );
}
