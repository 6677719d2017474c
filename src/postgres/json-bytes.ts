import { TypeId } from './type-ids.ts';
import { decodeBytes, decoderOf } from './value-decoding.ts';

/** Writes a value, which the server sent as text from `start` to `end`, into the body. */
export type JsonWriter = (body: JsonBytes, buffer: Buffer, start: number, end: number) => void;

const FIRST_SIZE = 4_096;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const SPACE = 0x20;
const NULL = Buffer.from('null');
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const LETTER_T = 0x74;
const MINUS = 0x2d;
const DIGIT_9 = 0x39;
const SAFE_DIGITS = 15;

/**
 * The bytes of a JSON array of rows, made directly from what the server sent: most of it is copied as it is.
 */
export class JsonBytes {
  #buffer = Buffer.allocUnsafeSlow(FIRST_SIZE);
  #end = 0;

  constructor() {
    this.#buffer[this.#end++] = 0x5b;
  }

  beginRow(): void {
    this.#ensure(2);
    if (this.#end > 1) this.#buffer[this.#end++] = COMMA;
    this.#buffer[this.#end++] = 0x7b;
  }

  endRow(): void {
    this.#ensure(1);
    this.#buffer[this.#end++] = 0x7d;
  }

  null(): void {
    this.raw(NULL);
  }

  raw(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  copy(buffer: Buffer, start: number, end: number): void {
    this.#ensure(end - start);
    buffer.copy(this.#buffer, this.#end, start, end);
    this.#end += end - start;
  }

  quoted(buffer: Buffer, start: number, end: number): void {
    this.#ensure(end - start + 2);
    this.#buffer[this.#end++] = QUOTE;
    this.copy(buffer, start, end);
    this.#ensure(1);
    this.#buffer[this.#end++] = QUOTE;
  }

  text(text: string): void {
    this.raw(Buffer.from(text));
  }

  /** The body, whole; nothing may be written behind it. */
  finish(): Uint8Array<ArrayBuffer> {
    this.#ensure(1);
    this.#buffer[this.#end++] = 0x5d;
    return new Uint8Array(this.#buffer.buffer, 0, this.#end);
  }

  #ensure(count: number): void {
    if (this.#end + count <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#end + count));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}

/** What JSON has no form for is written as text, by the rules of docs/values.md. */
export function jsonWriterOf(typeId: number): JsonWriter {
  return (
    WRITERS.get(typeId) ?? (decoderOf(typeId) === decoderOf(TypeId.text) ? writeText : writeDecoded(typeId))
  );
}

const WRITERS: ReadonlyMap<number, JsonWriter> = new Map<number, JsonWriter>([
  [TypeId.bool, (body, buffer, start) => body.raw(buffer[start] === LETTER_T ? TRUE : FALSE)],
  [TypeId.int2, (body, buffer, start, end) => body.copy(buffer, start, end)],
  [TypeId.int4, (body, buffer, start, end) => body.copy(buffer, start, end)],
  [TypeId.oid, (body, buffer, start, end) => body.copy(buffer, start, end)],
  [TypeId.int8, writeInteger],
  [TypeId.float4, writeFloat],
  [TypeId.float8, writeFloat],
  [TypeId.numeric, (body, buffer, start, end) => body.quoted(buffer, start, end)],
  [TypeId.text, writeText],
  [TypeId.json, (body, buffer, start, end) => body.copy(buffer, start, end)],
  [TypeId.jsonb, (body, buffer, start, end) => body.copy(buffer, start, end)],
  [TypeId.bytea, writeBytes],
]);

function writeInteger(body: JsonBytes, buffer: Buffer, start: number, end: number): void {
  if (end - start <= SAFE_DIGITS) return body.copy(buffer, start, end);
  const isSafe = Number.isSafeInteger(Number(buffer.toString('latin1', start, end)));
  if (isSafe) body.copy(buffer, start, end);
  else body.quoted(buffer, start, end);
}

/** The server's digits are JSON's; NaN and the infinities have none. */
function writeFloat(body: JsonBytes, buffer: Buffer, start: number, end: number): void {
  const first = buffer[start] === MINUS ? buffer[start + 1]! : buffer[start]!;
  if (first <= DIGIT_9) body.copy(buffer, start, end);
  else body.quoted(buffer, start, end);
}

function writeText(body: JsonBytes, buffer: Buffer, start: number, end: number): void {
  for (let at = start; at < end; at += 1) {
    const byte = buffer[at]!;
    if (byte < SPACE || byte === QUOTE || byte === BACKSLASH)
      return body.text(JSON.stringify(buffer.toString('utf8', start, end)));
  }
  body.quoted(buffer, start, end);
}

function writeBytes(body: JsonBytes, buffer: Buffer, start: number, end: number): void {
  const bytes = decodeBytes(buffer, start, end);
  body.text(`"${Buffer.from(bytes.buffer).toString('base64')}"`);
}

/** Written by way of the value that the row would hold: moments and arrays. */
function writeDecoded(typeId: number): JsonWriter {
  const decode = decoderOf(typeId);
  return (body, buffer, start, end) => body.text(JSON.stringify(decode(buffer, start, end), toJson));
}

function toJson(this: unknown, key: string, value: unknown): unknown {
  // By now JSON.stringify has turned a Date into a string, and a Buffer into an object.
  const held = (this as Record<string, unknown>)[key];
  if (typeof held === 'bigint') return held.toString();
  if (held instanceof Uint8Array) return Buffer.from(held).toString('base64');
  return typeof held === 'number' && !Number.isFinite(held) ? String(held) : value;
}
