import { readArray } from './array-text.ts';
import { decodeMoment } from './moment-text.ts';
import { ELEMENT_TYPES, TypeId } from './type-ids.ts';

/** Reads a value of one type from the text that the server sent: the bytes from `start` to `end`. */
export type Decoder = (buffer: Buffer, start: number, end: number) => unknown;

const MINUS = 0x2d;
const ZERO = 0x30;
const LETTER_T = 0x74;
/** So many digits always fit a number. */
const SAFE_DIGITS = 15;

/** By the rules of docs/values.md. A type that has none is given as the server's own text of it. */
export function decoderOf(typeId: number): Decoder {
  const known = DECODERS.get(typeId);
  if (known !== undefined) return known;
  const elementId = ELEMENT_TYPES.get(typeId);
  return elementId === undefined ? decodeText : arrayDecoder(decoderOf(elementId));
}

const DECODERS: ReadonlyMap<number, Decoder> = new Map<number, Decoder>([
  [TypeId.bool, (buffer, start) => buffer[start] === LETTER_T],
  [TypeId.bytea, decodeBytes],
  [TypeId.int2, decodeInteger],
  [TypeId.int4, decodeInteger],
  [TypeId.oid, decodeInteger],
  [TypeId.int8, decodeInteger],
  [TypeId.float4, decodeFloat],
  [TypeId.float8, decodeFloat],
  [TypeId.json, decodeJson],
  [TypeId.jsonb, decodeJson],
  [TypeId.timestamptz, decodeMoment],
]);

function decodeText(buffer: Buffer, start: number, end: number): string {
  return buffer.toString('utf8', start, end);
}

/** A number where a number holds it exactly, a bigint beyond. */
function decodeInteger(buffer: Buffer, start: number, end: number): number | bigint {
  const isNegative = buffer[start] === MINUS;
  if (end - start > SAFE_DIGITS) return decodeLongInteger(buffer, start, end);
  let value = 0;
  for (let at = isNegative ? start + 1 : start; at < end; at += 1) value = value * 10 + buffer[at]! - ZERO;
  return isNegative ? -value : value;
}

function decodeLongInteger(buffer: Buffer, start: number, end: number): number | bigint {
  const exact = BigInt(buffer.toString('latin1', start, end));
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}

/** The server writes the shortest digits that give the same number back, 'NaN' and 'Infinity'. */
function decodeFloat(buffer: Buffer, start: number, end: number): number {
  return Number(buffer.toString('latin1', start, end));
}

function decodeJson(buffer: Buffer, start: number, end: number): unknown {
  return JSON.parse(buffer.toString('utf8', start, end));
}

/** The value of a hexadecimal digit, by its code. */
const NIBBLES = new Uint8Array(128);
const DIGITS = '0123456789abcdef';
for (let value = 0; value < 16; value += 1) NIBBLES[DIGITS.charCodeAt(value)] = value;

/** Behind `\x`, two digits for each byte: https://www.postgresql.org/docs/current/datatype-binary.html */
export function decodeBytes(buffer: Buffer, start: number, end: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array((end - start - 2) >> 1);
  let from = start + 2;
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = (NIBBLES[buffer[from]!]! << 4) | NIBBLES[buffer[from + 1]!]!;
    from += 2;
  }
  return bytes;
}

function arrayDecoder(element: Decoder): Decoder {
  const decode = (text: string): unknown => {
    const bytes = Buffer.from(text);
    return element(bytes, 0, bytes.length);
  };
  return (buffer, start, end) => readArray(buffer.toString('utf8', start, end), decode);
}
