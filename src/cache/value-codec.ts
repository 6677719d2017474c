/** A value of a kind that has no form outside of this process. */
export class UnshareableError extends Error {}

const MAX_DEPTH = 100;

/**
 * A value as JSON from which the same value can be made again: Date, bigint, bytes, undefined, NaN, Map and
 * Set included. Arrays are lists with a mark in front, so that nothing in the data can be mistaken for a
 * mark.
 *
 * @throws UnshareableError for functions, symbols, instances of classes, cycles, lists with holes, and
 * properties that would be lost
 */
export function encodeValue(value: unknown): string {
  return JSON.stringify(toJson(value, 0));
}

/** @throws Error for every text that `encodeValue` does not write */
export function decodeValue(text: string): unknown {
  return fromJson(JSON.parse(text));
}

function toJson(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : ['n', Object.is(value, -0) ? '-0' : `${value}`];
    case 'bigint':
      return ['i', `${value}`];
    case 'undefined':
      return ['u'];
    case 'object':
      return value === null ? null : objectToJson(value, depth);
    default:
      throw new UnshareableError(`a ${typeof value}`);
  }
}

function objectToJson(value: object, depth: number): unknown {
  if (depth >= MAX_DEPTH) throw new UnshareableError('a value that is too deep');
  const part = (one: unknown): unknown => toJson(one, depth + 1);
  const encode = ENCODERS.get(Object.getPrototypeOf(value));
  if (encode === undefined) throw new UnshareableError('an instance of a class');
  if (Object.getOwnPropertySymbols(value).length > 0) throw new UnshareableError('a property without a name');
  return encode(value, part);
}

type Encoder = (value: object, part: (one: unknown) => unknown) => unknown;

/** By prototype: of another class it would not come back. */
const ENCODERS = new Map<unknown, Encoder>([
  [
    Array.prototype,
    (value, part) => {
      const list = value as unknown[];
      assertNames(list, list.length);
      return ['a', ...list.map(part)];
    },
  ],
  [
    Date.prototype,
    (value) => {
      assertNames(value, 0);
      const time = (value as Date).getTime();
      return ['d', Number.isNaN(time) ? null : time];
    },
  ],
  [Buffer.prototype, (value) => ['B', (value as Buffer).toString('base64')]],
  [
    Uint8Array.prototype,
    (value) => {
      const { buffer, byteOffset, byteLength } = value as Uint8Array;
      return ['b', Buffer.from(buffer, byteOffset, byteLength).toString('base64')];
    },
  ],
  [
    Map.prototype,
    (value, part) => {
      assertNames(value, 0);
      return ['m', ...[...(value as Map<unknown, unknown>)].flat(1).map(part)];
    },
  ],
  [
    Set.prototype,
    (value, part) => {
      assertNames(value, 0);
      return ['s', ...[...(value as Set<unknown>)].map(part)];
    },
  ],
  // Own properties by definition: a plain assignment of "__proto__" would set the prototype instead.
  [
    Object.prototype,
    (value, part) => Object.fromEntries(Object.entries(value).map(([name, one]) => [name, part(one)])),
  ],
]);

function assertNames(value: object, expected: number): void {
  if (Object.keys(value).length !== expected) throw new UnshareableError('a property that would be lost');
}

function fromJson(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (!Array.isArray(json))
    return Object.fromEntries(Object.entries(json).map(([name, one]) => [name, fromJson(one)]));
  const [mark, ...parts] = json as unknown[];
  const decode = typeof mark === 'string' ? DECODERS.get(mark) : undefined;
  if (decode === undefined) throw new Error('An unknown mark.');
  return decode(parts);
}

const NUMBERS = new Map<unknown, number>([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['-0', -0],
]);

const DECODERS = new Map<string, (parts: readonly unknown[]) => unknown>([
  ['a', (parts) => parts.map(fromJson)],
  ['u', () => undefined],
  ['n', ([text]) => known(NUMBERS.get(text))],
  ['i', ([text]) => BigInt(asText(text))],
  ['d', ([time]) => new Date(time === null ? Number.NaN : asNumber(time))],
  ['b', ([text]) => new Uint8Array(Buffer.from(asText(text), 'base64'))],
  ['B', ([text]) => Buffer.from(asText(text), 'base64')],
  ['m', (parts) => new Map(pairs(parts.map(fromJson)))],
  ['s', (parts) => new Set(parts.map(fromJson))],
]);

function pairs(parts: readonly unknown[]): [unknown, unknown][] {
  return Array.from({ length: parts.length / 2 }, (_, index) => [parts[2 * index], parts[2 * index + 1]]);
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('An unknown number.');
  return value;
}

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new Error('A text is missing.');
  return value;
}

function asNumber(value: unknown): number {
  if (typeof value !== 'number') throw new Error('A number is missing.');
  return value;
}
