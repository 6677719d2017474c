import { isAnyArrayBuffer } from 'node:util/types';

/** Of an object or array itself, and of each of its slots, roughly as V8 lays them out on 64 bits. */
const OBJECT_BYTES = 24;
const SLOT_BYTES = 8;
const STRING_BYTES = 16;

interface Walk {
  /** Deeply freezes arrays and plain objects on the way. */
  readonly freeze: boolean;
}

/**
 * About how much memory a value takes, for the limit of a cache. Objects that appear twice count once. What
 * hides its content (functions, private fields) counts as small.
 */
export function walkValue(value: unknown, { freeze }: Walk): number {
  let bytes = 0;
  const seen = new Set<object>();
  // A stack of its own: a long chain of objects would overflow that of the thread.
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== 'object' || next === null) bytes += sizeOfPrimitive(next);
    else if (!seen.has(next)) {
      seen.add(next);
      bytes += OBJECT_BYTES + pushParts(next, open);
      if (freeze && isPlain(next)) Object.freeze(next);
    }
  }
  return bytes;
}

function sizeOfPrimitive(value: unknown): number {
  switch (typeof value) {
    case 'string':
      // Latin-1 texts take half of that, but it is not worth looking at each character.
      return STRING_BYTES + 2 * value.length;
    case 'bigint':
      return OBJECT_BYTES;
    default:
      return SLOT_BYTES;
  }
}

/** Puts what an object consists of on the stack. @returns the bytes of the parts that are no values */
function pushParts(object: object, open: unknown[]): number {
  if (ArrayBuffer.isView(object)) {
    // A piece keeps all of its buffer alive; only the pool of small Buffers is shared by many.
    if (object.buffer.byteLength <= Buffer.poolSize) return object.byteLength;
    open.push(object.buffer);
    return 0;
  }
  if (isAnyArrayBuffer(object)) return object.byteLength;
  if (object instanceof Map) {
    for (const [key, value] of object) open.push(key, value);
    return object.size * SLOT_BYTES;
  }
  if (object instanceof Set) {
    for (const value of object) open.push(value);
    return object.size * SLOT_BYTES;
  }
  const values: unknown[] = Array.isArray(object) ? object : Object.values(object);
  for (const value of values) open.push(value);
  return values.length * SLOT_BYTES;
}

/** Rows included. Instances of classes may count on changing themselves. */
function isPlain(object: object): boolean {
  if (Array.isArray(object)) return true;
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || prototype === Object.prototype;
}
