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

  push(chunk: Buffer): void {
    if (this.#have === 0) return this.#read(chunk);
    this.#pieces.push(chunk);
    this.#have += chunk.length;
    // A message of many megabytes comes in many pieces: they are joined once, when all are there.
    if (this.#have < this.#need) return;
    const joined = Buffer.concat(this.#pieces, this.#have);
    this.#pieces = [];
    this.#have = 0;
    this.#read(joined);
  }

  #read(buffer: Buffer): void {
    let at = 0;
    this.#need = HEADER_BYTES;
    while (at + HEADER_BYTES <= buffer.length) {
      const end = at + 1 + buffer.readInt32BE(at + 1);
      if (end > buffer.length) {
        this.#need = end - at;
        break;
      }
      this.#sink(buffer[at]!, buffer, at + HEADER_BYTES, end);
      at = end;
    }
    if (at === buffer.length) return;
    const rest = buffer.subarray(at);
    this.#pieces = [rest];
    this.#have = rest.length;
  }
}
