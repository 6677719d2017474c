import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip, type Zlib } from 'node:zlib';
import type { MiddlewareHandler } from 'hono';
import { chooseEncoding, type Encoding } from './accept-encoding.ts';
import { knownBody, onlyContentType } from './known-bodies.ts';
import { checkOptions, integer, list, oneOf } from './option-checks.ts';
import { PackedBodies } from './packed-bodies.ts';
import { peekBody } from './peek-body.ts';
import { remembered } from './remembered.ts';
import { addVary } from './vary.ts';

type Whole = string | Uint8Array;
type Bytes = Uint8Array<ArrayBuffer>;

export interface CompressOptions {
  /** Shorter bodies are sent as they are, in bytes. @default 1_000 */
  readonly thresholdBytes?: number | undefined;
  /** In the order of preference. @default br, gzip */
  readonly encodings?: readonly Encoding[] | undefined;
  /** 0, fast, to 11, small. @default 4 */
  readonly brotliQuality?: number | undefined;
  /** 1, fast, to 9, small. @default 6 */
  readonly gzipLevel?: number | undefined;
  /**
   * Compressed bodies of up to 256 KiB are kept for when the same one is sent again: so many bytes at most;
   * 0 keeps none.
   * @default 8_388_608
   */
  readonly keptBytes?: number | undefined;
}

const NOT_MODIFIED = 304;
/** What is said of the other bytes. Digests: https://www.rfc-editor.org/rfc/rfc9530#section-2 */
const OF_THE_BYTES = [
  'content-length',
  'accept-ranges',
  'content-digest',
  'repr-digest',
  'digest',
  'content-md5',
];
const ENCODINGS: readonly Encoding[] = ['br', 'gzip'];
const CHECKS = {
  thresholdBytes: integer(0, 1_000_000_000),
  encodings: list(oneOf(ENCODINGS), 2),
  brotliQuality: integer(0, 11),
  gzipLevel: integer(1, 9),
  keptBytes: integer(0, 1_000_000_000),
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
 * Compresses what is worth it: bodies from a size on, of types that shrink, for clients that take it. Streams
 * are flushed with each chunk. Says `Vary` where the answer depends on the client, makes entity tags weak and
 * offers no ranges, because the bytes are different.
 *
 * @throws ConfigError for wrong options
 */
export function compress(given: CompressOptions = {}): MiddlewareHandler {
  const pack = compressor(given);
  return async function compressResponse(context, next) {
    await next();
    const { res } = context;
    const packed = await pack(res, context.req.method, context.req.header('accept-encoding'));
    if (packed === res) return;
    // Undefined first: Hono would merge the headers of the old response into the new one.
    context.res = undefined as unknown as Response;
    context.res = packed;
  };
}

/** The answer to a method and an `Accept-Encoding`: the same where it stays as it is. */
export type Compressor = (
  response: Response,
  method: string,
  accepted: string | undefined,
) => Response | Promise<Response>;

/** @throws ConfigError for wrong options */
export function compressor(given: CompressOptions = {}): Compressor {
  const options = checkOptions('compress', given, CHECKS);
  const { thresholdBytes = 1_000, encodings = ENCODINGS } = options;
  const packer = new Packer(options);
  const isCompressibleType = remembered((type) => COMPRESSIBLE.test(type));
  const choose = remembered((header) => chooseEncoding(header, encodings));
  return (response, method, accepted = '') => {
    const known = knownBody(response);
    // Before its headers are looked at, which costs more: most answers are small. They do not vary, either.
    if (known !== undefined && known !== null && sizeOf(known) < thresholdBytes) return response;
    if (response.status === NOT_MODIFIED) return notModified(response, choose(accepted));
    if (known === null) return response;
    const onlyType = onlyContentType(response);
    const type = onlyType ?? response.headers.get('content-type');
    if (type === null || !isCompressibleType(type) || !mayHaveEncoding(response.status)) return response;
    if (onlyType === undefined && !mayCompress(response.headers, thresholdBytes)) return response;
    const encoding = method === 'HEAD' ? undefined : choose(accepted);
    if (onlyType === undefined || encoding === undefined) addVary(response.headers, 'Accept-Encoding');
    if (encoding === undefined) return response;
    if (known !== undefined) {
      const init =
        onlyType === undefined ? packedInit(response, encoding) : plainInit(response, encoding, onlyType);
      return packWhole(known, encoding, init);
    }
    return response.body === null ? response : packStream(response, encoding, response.body);
  };

  async function packStream(response: Response, encoding: Encoding, body: ReadableStream): Promise<Response> {
    const peeked = await peekBody(body, thresholdBytes);
    if ('stream' in peeked) {
      return new Response(packer.stream(encoding, peeked.stream), packedInit(response, encoding));
    }
    const { whole } = peeked;
    if (whole.byteLength < thresholdBytes) {
      return new Response(whole, { status: response.status, headers: response.headers });
    }
    return packWhole(whole, encoding, packedInit(response, encoding));
  }

  function packWhole(body: Whole, encoding: Encoding, init: ResponseInit): Response | Promise<Response> {
    const packed = packer.whole(encoding, body);
    return packed instanceof Promise
      ? packed.then((bytes) => new Response(bytes, init))
      : new Response(packed, init);
  }
}

const packBrotli = promisify<Whole, object, Buffer<ArrayBuffer>>(brotliCompress);
const packGzip = promisify<Whole, object, Buffer<ArrayBuffer>>(gzip);

/** One of each encoding, with its settings. */
class Packer {
  readonly #brotli: { readonly params: Readonly<Record<number, number>> };
  readonly #gzip: { readonly level: number };
  readonly #packed: PackedBodies;

  constructor({ brotliQuality = 4, gzipLevel = 6, keptBytes = 8_388_608 }: CompressOptions) {
    this.#brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality } };
    this.#gzip = { level: gzipLevel };
    this.#packed = new PackedBodies(keptBytes);
  }

  /** At once where the same body was compressed before, and off the main thread where not. */
  whole(encoding: Encoding, body: Whole): Bytes | Promise<Bytes> {
    const key = this.#packed.keyOf(encoding, body);
    if (key === undefined) return this.#pack(encoding, body);
    return this.#packed.find(key) ?? this.#packAndKeep(key, encoding, body);
  }

  async #packAndKeep(key: string, encoding: Encoding, body: Whole): Promise<Bytes> {
    const packed = await this.#pack(encoding, body);
    this.#packed.keep(key, packed);
    return packed;
  }

  #pack(encoding: Encoding, body: Whole): Promise<Bytes> {
    return encoding === 'br' ? packBrotli(body, this.#brotli) : packGzip(body, this.#gzip);
  }

  stream(encoding: Encoding, source: Readable): ReadableStream {
    const packed: Zlib & NodeJS.ReadWriteStream =
      encoding === 'br'
        ? createBrotliCompress({ ...this.#brotli, flush: constants.BROTLI_OPERATION_FLUSH })
        : createGzip({ ...this.#gzip, flush: constants.Z_SYNC_FLUSH });
    const readable = packed as unknown as Readable;
    // Each end closes the other: a client that goes away, a source that fails.
    source.on('error', (error) => readable.destroy(error));
    readable.on('close', () => source.destroy());
    source.pipe(packed);
    return Readable.toWeb(readable) as ReadableStream;
  }
}

function mayHaveEncoding(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 206;
}

function mayCompress(headers: Headers, thresholdBytes: number): boolean {
  if (Number(headers.get('content-length') ?? Infinity) < thresholdBytes) return false;
  return !headers.has('content-encoding') && !(headers.get('cache-control') ?? '').includes('no-transform');
}

/** Says the same as the answer would have said: https://www.rfc-editor.org/rfc/rfc9110#section-15.4.5 */
function notModified(response: Response, encoding: Encoding | undefined): Response {
  addVary(response.headers, 'Accept-Encoding');
  if (encoding !== undefined) weakenTag(response.headers);
  return response;
}

function weakenTag(headers: Headers): void {
  const tag = headers.get('etag');
  if (tag !== null && !tag.startsWith('W/')) headers.set('etag', `W/${tag}`);
}

/** What the response with the other bytes says, in the headers of the first. */
function packedInit({ status, headers }: Response, encoding: Encoding): ResponseInit {
  headers.set('content-encoding', encoding);
  for (const name of OF_THE_BYTES) headers.delete(name);
  weakenTag(headers);
  return { status, headers };
}

/** The same, where its content type is all that the first one says. */
function plainInit({ status }: Response, encoding: Encoding, type: string): ResponseInit {
  return {
    status,
    headers: { 'content-type': type, 'content-encoding': encoding, vary: 'Accept-Encoding' },
  };
}

function sizeOf(body: Whole): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
}
