/** Takes one message: its body is `buffer` from `start` to `end`, valid until the function returns. */
export type MessageSink = (code: number, buffer: Buffer, start: number, end: number) => void;

const HEADER_BYTES = 5;

/** Cuts what a server sends into its messages, however the network has cut it. */
export class WireReader {
  readonly #sink: MessageSink;
  /** Pieces of a message that is not whole yet, and how many bytes of it there are and must be. */
  #pieces: Buffer[] = [];
  #have = 0;
  #need = HEADER_BYTES;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  /** Takes the first `length` bytes of `chunk`, and keeps nothing of it: it may be filled again. */
  push(chunk: Buffer, length: number = chunk.length): void {
    let at = 0;
    while (this.#have > 0 && at < length) at = this.#complete(chunk, at, length);
    while (at + HEADER_BYTES <= length) {
      const end = at + messageBytes(chunk, at);
      if (end > length) break;
      this.#sink(chunk[at]!, chunk, at + HEADER_BYTES, end);
      at = end;
    }
    if (at < length) this.#keep(chunk, at, length);
  }

  /** Adds to the message that is not whole. @returns where what belongs to the next one begins */
  #complete(chunk: Buffer, at: number, length: number): number {
    const end = Math.min(length, at + this.#need - this.#have);
    this.#keep(chunk, at, end);
    if (this.#have < this.#need) return end;
    // A message of many megabytes comes in many pieces: they are joined once, when all are there.
    const joined = Buffer.concat(this.#pieces, this.#have);
    this.#pieces = [];
    this.#have = 0;
    // Of less than a header not even the length was known.
    if (messageBytes(joined, 0) > joined.length) this.#keep(joined, 0, joined.length);
    else this.#sink(joined[0]!, joined, HEADER_BYTES, joined.length);
    return end;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    if (this.#have === 0) {
      this.#need = end - start < HEADER_BYTES ? HEADER_BYTES : messageBytes(chunk, start);
    }
    this.#pieces.push(Buffer.from(chunk.subarray(start, end)));
    this.#have += end - start;
  }
}

/** Of the message that begins at `at`, its code included. @throws for what can be no message */
function messageBytes(buffer: Buffer, at: number): number {
  const bytes = 1 + buffer.readInt32BE(at + 1);
  if (bytes < HEADER_BYTES)
    throw new RangeError('The server sent something that is not a message of its protocol.');
  return bytes;
}
