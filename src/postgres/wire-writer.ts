import { FrontendCode } from './wire-codes.ts';

/** A value as it goes to the server: text, bytes, or NULL. */
export type WireValue = string | Uint8Array | null;

const FIRST_SIZE = 16_384;
/** A buffer that grew above this for one large statement is not kept. */
const LARGEST_KEPT = 1_048_576;
/** Names, and most values. */
const SHORT_TEXT = 24;

/**
 * Writes the messages of a client, one behind the other, until they are taken to be sent together.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class WireWriter {
  #buffer = Buffer.allocUnsafeSlow(FIRST_SIZE);
  #end = 0;

  get isEmpty(): boolean {
    return this.#end === 0;
  }

  /** What was written, as one piece that is the caller's; the writer is empty then. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#end));
    if (this.#buffer.length > LARGEST_KEPT) this.#buffer = Buffer.allocUnsafeSlow(FIRST_SIZE);
    this.#end = 0;
    return bytes;
  }

  /** Several statements as one text, without parameters; the server syncs by itself behind it. */
  query(text: string): void {
    const start = this.#begin(FrontendCode.query);
    this.#cstring(text);
    this.#finish(start);
  }

  /** An empty name is the unnamed statement, which the next Parse replaces. */
  parse(name: string, text: string): void {
    const start = this.#begin(FrontendCode.parse);
    this.#cstring(name);
    this.#cstring(text);
    // The types of the parameters are for the server to find out.
    this.#int16(0);
    this.#finish(start);
  }

  bind(portal: string, statement: string, values: readonly WireValue[]): void {
    const start = this.#begin(FrontendCode.bind);
    this.#cstring(portal);
    this.#cstring(statement);
    this.#formats(values);
    this.#int16(values.length);
    for (let index = 0; index < values.length; index += 1) this.#value(values[index]!);
    // Every column as text.
    this.#int16(0);
    this.#finish(start);
  }

  describeStatement(name: string): void {
    this.#named(FrontendCode.describe, 'S', name);
  }

  describePortal(name: string): void {
    this.#named(FrontendCode.describe, 'P', name);
  }

  closeStatement(name: string): void {
    this.#named(FrontendCode.close, 'S', name);
  }

  closePortal(name: string): void {
    this.#named(FrontendCode.close, 'P', name);
  }

  /** @param maxRows 0 = all */
  execute(portal: string, maxRows: number): void {
    const start = this.#begin(FrontendCode.execute);
    this.#cstring(portal);
    this.#int32(maxRows);
    this.#finish(start);
  }

  sync(): void {
    this.#finish(this.#begin(FrontendCode.sync));
  }

  /** The server sends what it has so far; it would keep it until the next Sync otherwise. */
  flush(): void {
    this.#finish(this.#begin(FrontendCode.flush));
  }

  copyData(bytes: Uint8Array): void {
    const start = this.#begin(FrontendCode.copyData);
    this.#bytes(bytes);
    this.#finish(start);
  }

  copyDone(): void {
    this.#finish(this.#begin(FrontendCode.copyDone));
  }

  copyFail(reason: string): void {
    const start = this.#begin(FrontendCode.copyFail);
    this.#cstring(reason);
    this.#finish(start);
  }

  terminate(): void {
    this.#finish(this.#begin(FrontendCode.terminate));
  }

  #named(code: number, kind: 'S' | 'P', name: string): void {
    const start = this.#begin(code);
    this.#ensure(1);
    this.#buffer[this.#end++] = kind.charCodeAt(0);
    this.#cstring(name);
    this.#finish(start);
  }

  /** All as text, unless there are bytes among them. */
  #formats(values: readonly WireValue[]): void {
    let hasBytes = false;
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index];
      if (typeof value === 'object' && value !== null) hasBytes = true;
    }
    if (!hasBytes) return this.#int16(0);
    this.#int16(values.length);
    for (const value of values) this.#int16(typeof value === 'object' && value !== null ? 1 : 0);
  }

  #value(value: WireValue): void {
    if (value === null) return this.#int32(-1);
    if (typeof value !== 'string') {
      this.#int32(value.byteLength);
      return this.#bytes(value);
    }
    this.#ensure(4 + value.length * 3);
    const start = this.#end;
    this.#end += 4;
    this.#text(value);
    this.#putInt32(this.#end - start - 4, start);
  }

  /** Short ASCII by hand: a call into the runtime costs more than that. There must be room. */
  #text(text: string): void {
    const { length } = text;
    let at = this.#end;
    if (length <= SHORT_TEXT) {
      const buffer = this.#buffer;
      let index = 0;
      for (; index < length; index += 1) {
        const code = text.charCodeAt(index);
        if (code > 0x7f) break;
        buffer[at++] = code;
      }
      if (index === length) {
        this.#end = at;
        return;
      }
    }
    this.#end += this.#buffer.write(text, this.#end);
  }

  #bytes(bytes: Uint8Array): void {
    this.#ensure(bytes.byteLength);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.byteLength;
  }

  #begin(code: number): number {
    this.#ensure(5);
    this.#buffer[this.#end] = code;
    this.#end += 5;
    return this.#end - 4;
  }

  #finish(start: number): void {
    this.#putInt32(this.#end - start, start);
  }

  #putInt32(value: number, at: number): void {
    const buffer = this.#buffer;
    buffer[at] = value >> 24;
    buffer[at + 1] = value >> 16;
    buffer[at + 2] = value >> 8;
    buffer[at + 3] = value;
  }

  #cstring(text: string): void {
    this.#ensure(text.length * 3 + 1);
    this.#text(text);
    this.#buffer[this.#end++] = 0;
  }

  #int16(value: number): void {
    this.#ensure(2);
    this.#buffer[this.#end++] = value >> 8;
    this.#buffer[this.#end++] = value;
  }

  #int32(value: number): void {
    this.#ensure(4);
    this.#putInt32(value, this.#end);
    this.#end += 4;
  }

  #ensure(count: number): void {
    if (this.#end + count <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#end + count));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}
