import { Readable } from 'node:stream';

/** A body that is complete already, or one that goes on. */
export type PeekedBody = { readonly whole: Uint8Array<ArrayBuffer> } | { readonly stream: Readable };

/** A body that is longer is not gathered, though it may be there at once. */
const MOST_GATHERED_BYTES = 65_536;

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Read = ReturnType<Reader['read']>;

/**
 * Looks whether a body of unknown length is there as a whole: reads until it ends, until `enoughBytes` and
 * what comes with them are there, or until it has nothing more in this turn of the event loop.
 */
export async function peekBody(body: ReadableStream<Uint8Array>, enoughBytes: number): Promise<PeekedBody> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  const most = Math.max(MOST_GATHERED_BYTES, enoughBytes);
  let size = 0;
  for (;;) {
    const read = reader.read();
    // One that fails is passed on as a stream that fails: the answer was decided, and perhaps committed.
    const early = Promise.race([read, turnOfTheLoop()]).catch(() => undefined);
    const result = size >= most ? undefined : await early;
    if (result === undefined)
      return { stream: Readable.from(rest(reader, chunks, read), { objectMode: false }) };
    if (result.done) return { whole: Buffer.concat(chunks) };
    chunks.push(result.value);
    size += result.value.byteLength;
  }
}

async function* rest(
  reader: Reader,
  chunks: readonly Uint8Array[],
  pending: Read,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
    for (let result = await pending; !result.done; result = await reader.read()) yield result.value;
  } finally {
    // Left before its end, when the client has gone: whoever makes the body can stop.
    reader.cancel().catch(() => undefined);
  }
}

function turnOfTheLoop(): Promise<undefined> {
  return new Promise((resolve) => void setImmediate(resolve, undefined));
}
