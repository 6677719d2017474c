import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip, type Zlib } from 'node:zlib';
import type { Context, MiddlewareHandler } from 'hono';
import { chooseEncoding, type Encoding } from './accept-encoding.ts';
import { knownBody, noteBody, rememberBodies, type KnownBody } from './known-bodies.ts';
import { checkOptions, integer, list, oneOf } from './option-checks.ts';
import { peekBody } from './peek-body.ts';
import { addVary } from './vary.ts';

export interface CompressOptions {
  /** Shorter bodies are sent as they are, in bytes. @default 1_000 */
  readonly thresholdBytes?: number | undefined;
  /** In the order of preference. @default br, gzip */
  readonly encodings?: readonly Encoding[] | undefined;
  /** 0, fast, to 11, small. @default 4 */
  readonly brotliQuality?: number | undefined;
  /** 1, fast, to 9, small. @default 6 */
  readonly gzipLevel?: number | undefined;
}

const ENCODINGS: readonly Encoding[] = ['br', 'gzip'];
const CHECKS = {
  thresholdBytes: integer(0, 1_000_000_000),
  encodings: list(oneOf(ENCODINGS), 2),
  brotliQuality: integer(0, 11),
  gzipLevel: integer(1, 9),
};

/**
 * Not event streams: they are tiny messages that must not wait for each other. Not what is compressed
 * already.
 */
const COMPRESSIBLE = new RegExp(
  `^(?:${[
    String.raw`text/(?!event-stream)[\w.+-]+`,
    'application/(?:json|javascript|xml|(?:x-)?ndjson|wasm)',
    String.raw`application/[\w.-]+\+(?:json|xml|text)`,
    String.raw`image/(?:svg\+xml|bmp)|font/(?:ttf|otf)`,
  ].join('|')})\\s*(?:;|$)`,
  'i',
);

/**
 * Compresses what is worth it: bodies from a size on, of types that shrink, for clients that take it.
 * Streams are flushed with each chunk. Says `Vary` where the answer depends on the client, and makes entity
 * tags weak, for the bytes are others.
 *
 * @throws ConfigError for wrong options
 */
export function compress(given: CompressOptions = {}): MiddlewareHandler {
  const options = checkOptions('compress', given, CHECKS);
  const { thresholdBytes = 1_000, encodings = ENCODINGS } = options;
  const packer = new Packer(options);
  return async function compressResponse(context, next) {
    rememberBodies(context);
    await next();
    const { res } = context;
    if (!isCompressible(res)) return;
    addVary(res.headers, 'Accept-Encoding');
    const encoding = chooseEncoding(context.req.header('accept-encoding'), encodings);
    if (encoding === undefined || context.req.method === 'HEAD') return;
    const body = knownBody(res);
    if (body !== undefined) {
      if (sizeOf(body) >= thresholdBytes) replaceBody(context, encoding, await packer.whole(encoding, body));
      return;
    }
    if (Number(res.headers.get('content-length') ?? thresholdBytes) < thresholdBytes || res.body === null)
      return;
    const peeked = await peekBody(res.body, thresholdBytes);
    if ('whole' in peeked) {
      const isSmall = peeked.whole.byteLength < thresholdBytes;
      if (isSmall) replaceBody(context, undefined, peeked.whole);
      else replaceBody(context, encoding, await packer.whole(encoding, peeked.whole));
    } else replaceBody(context, encoding, packer.stream(encoding, peeked.stream));
  };
}

/** One of each encoding, with its settings. */
class Packer {
  readonly #brotli: { readonly params: Readonly<Record<number, number>> };
  readonly #gzip: { readonly level: number };

  constructor({ brotliQuality = 4, gzipLevel = 6 }: CompressOptions) {
    this.#brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } };
    this.#gzip = { level: gzipLevel };
  }

  /** Off the main thread. */
  whole(encoding: Encoding, body: KnownBody): Promise<Uint8Array<ArrayBuffer>> {
    return encoding === 'br'
      ? promisify<KnownBody, object, Buffer<ArrayBuffer>>(brotliCompress)(body, this.#brotli)
      : promisify<KnownBody, object, Buffer<ArrayBuffer>>(gzip)(body, this.#gzip);
  }

  stream(encoding: Encoding, source: Readable): ReadableStream {
    const packed: Zlib & NodeJS.ReadWriteStream =
      encoding === 'br'
        ? createBrotliCompress({ ...this.#brotli, flush: constants.BROTLI_OPERATION_FLUSH })
        : createGzip({ ...this.#gzip, flush: constants.Z_SYNC_FLUSH });
    const readable = packed as unknown as Readable;
    // Either end takes the other with it: a client that goes away, a source that fails.
    source.on('error', (error) => readable.destroy(error));
    readable.on('close', () => source.destroy());
    source.pipe(packed);
    return Readable.toWeb(readable) as ReadableStream;
  }
}

function isCompressible({ status, headers }: Response): boolean {
  if (status < 200 || status === 204 || status === 206 || status === 304) return false;
  const type = headers.get('content-type');
  if (type === null || !COMPRESSIBLE.test(type) || headers.has('content-encoding')) return false;
  return !(headers.get('cache-control') ?? '').includes('no-transform');
}

function replaceBody(
  context: Context,
  encoding: Encoding | undefined,
  body: Uint8Array<ArrayBuffer> | ReadableStream,
): void {
  const { status, headers } = context.res;
  if (encoding !== undefined) {
    headers.set('content-encoding', encoding);
    headers.delete('content-length');
    const tag = headers.get('etag');
    if (tag !== null && !tag.startsWith('W/')) headers.set('etag', `W/${tag}`);
  }
  // Undefined first: Hono would merge the headers of the old response into the new one.
  context.res = undefined as unknown as Response;
  context.res = noteBody(new Response(body, { status, headers }), body);
}

function sizeOf(body: KnownBody): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
}
