import { createHash } from 'node:crypto';
import type { Context } from 'hono';

/** A body of JSON with its entity tag, made once for all who ask. */
export interface KeptJson {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly tag: string;
}

/** For what a cache keeps. */
export function keepJson(body: Uint8Array<ArrayBuffer>): KeptJson {
  return { body, tag: `"${createHash('sha1').update(body).digest('base64url')}"` };
}

/** Sends what is JSON already: nothing is parsed or built again on the way out. */
export function sendJson(c: Context, body: Uint8Array<ArrayBuffer>): Response {
  return c.body(body, 200, { 'content-type': 'application/json' });
}

/** The same, or 304 to a client that has it. */
export function sendKept(c: Context, { body, tag }: KeptJson): Response {
  const known = c.req.header('if-none-match')?.split(',') ?? [];
  // Compressed on the way out, a tag becomes a weak one, which is as good here.
  if (known.some((given) => given.trim().replace(/^W\//, '') === tag))
    return c.body(null, 304, { etag: tag });
  return c.body(body, 200, { 'content-type': 'application/json', etag: tag, 'cache-control': 'no-cache' });
}
