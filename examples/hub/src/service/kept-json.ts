import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import type { Context } from 'hono';

/** Shorter bodies are sent as they are. */
const LEAST_PACKED = 1000;
/** `small` takes ten milliseconds and more, in another thread: for what is loaded seldom and sent often. */
const QUALITIES = { quick: 5, small: 11 } as const;
const pack = promisify<Uint8Array, object, Buffer<ArrayBuffer>>(brotliCompress);
const TAKES_BROTLI = /(?:^|,)\s*br\s*(?:,|$)/;

/**
 * A body of JSON with its entity tag, and packed where that is worth it: made once for all who ask. The server
 * packs by itself too, and keeps that while there is room, but at one quality for all, and not before the first
 * client waits for it.
 */
export interface KeptJson {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly packed: Uint8Array<ArrayBuffer> | undefined;
  readonly tag: string;
}

/** For what a cache keeps. */
export async function keepJson(
  given: Promise<Uint8Array<ArrayBuffer>>,
  quality: keyof typeof QUALITIES = 'quick',
): Promise<KeptJson> {
  const body = await given;
  const params = { [constants.BROTLI_PARAM_QUALITY]: QUALITIES[quality] };
  const packed = body.length < LEAST_PACKED ? undefined : await pack(body, { params });
  return { body, packed, tag: `W/"${createHash('sha1').update(body).digest('base64url')}"` };
}

/** Sends what is JSON already: nothing is parsed or built again on the way out. */
export function sendJson(c: Context, body: Uint8Array<ArrayBuffer>): Response {
  return c.body(body, 200, { 'content-type': 'application/json' });
}

/** The same as it was kept, or 304 to a client that has it. Whoever does not take brotli is left to the server. */
export function sendKept(c: Context, { body, packed, tag }: KeptJson): Response {
  const headers = { etag: tag, 'cache-control': 'no-cache', vary: 'Accept-Encoding' };
  const known = c.req.header('if-none-match')?.split(',') ?? [];
  if (known.some((given) => given.trim() === tag)) return c.body(null, 304, headers);
  const type = { ...headers, 'content-type': 'application/json' };
  if (packed === undefined || !TAKES_BROTLI.test(c.req.header('accept-encoding') ?? ''))
    return c.body(body, 200, type);
  return c.body(packed, 200, { ...type, 'content-encoding': 'br' });
}
