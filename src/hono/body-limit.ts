import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit as honoBodyLimit } from 'hono/body-limit';
import { HttpProblem } from './http-problem.ts';
import { nodeBindings } from './node-bindings.ts';
import { checkOptions, integer } from './option-checks.ts';
import { ClientGoneError } from './problem-of.ts';

export interface BodyLimitOptions {
  /** Longest body that is accepted, in bytes; then the answer is 413. @default 1_048_576 */
  readonly maxBytes?: number | undefined;
}

const MIB = 1_048_576;
const CHECKS = { maxBytes: integer(0, 1_024 * MIB) };

/**
 * Refuses bodies that are too long: by their declared length before a byte is read, otherwise at the first
 * byte too many. Refuses compressed ones: nothing here unpacks them, and their length would say nothing.
 */
export function bodyLimit(given: BodyLimitOptions = {}): MiddlewareHandler {
  const { maxBytes = MIB } = checkOptions('bodyLimit', given, CHECKS);
  const limitStream = streamLimit(maxBytes);
  return function limitBody(context, next) {
    return isWithinLimit(context, maxBytes) ? next() : limitStream(context, next);
  };
}

/** Reads the whole body, up to this many bytes, to where Hono's `c.req.json()` and the like find it. */
export function bodyReader(maxBytes: number): (context: Context) => Promise<void> {
  const limitStream = streamLimit(maxBytes);
  return async (context) => {
    try {
      if (!isWithinLimit(context, maxBytes)) await limitStream(context, async () => undefined);
      if (hasBody(context)) await context.req.arrayBuffer();
    } catch (error) {
      throw nodeBindings(context)?.outgoing.destroyed === true ? new ClientGoneError() : error;
    }
  };
}

/** False where only reading it can say. @throws HttpProblem */
function isWithinLimit(context: Context, maxBytes: number): boolean {
  if (!hasBody(context)) return true;
  const encoding = context.req.header('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    const detail = 'The body must not be compressed.';
    throw new HttpProblem(415, { detail, headers: { 'Accept-Encoding': 'identity' } });
  }
  const length = context.req.header('content-length');
  if (length === undefined || context.req.header('transfer-encoding') !== undefined) return false;
  if (!/^\d{1,15}$/.test(length)) throw new HttpProblem(400, { detail: 'Content-Length is not a number.' });
  if (Number(length) > maxBytes) throw tooLarge(maxBytes);
  return true;
}

/** Whether its head alone says that the body, if there is one, is no longer than that. */
export function declaresShortBody({ method, headers }: IncomingMessage, maxBytes: number): boolean {
  if (method === 'GET') return true;
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || headers['content-encoding'] !== undefined) return false;
  return length === undefined || (/^\d{1,15}$/.test(length) && Number(length) <= maxBytes);
}

function hasBody(context: Context): boolean {
  const { method } = context.req;
  if (method === 'GET' || method === 'HEAD') return false;
  const isDeclared =
    context.req.header('content-length') !== undefined ||
    context.req.header('transfer-encoding') !== undefined;
  // In HTTP/1 a body is declared: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
  return isDeclared || nodeBindings(context)?.incoming.httpVersionMajor !== 1;
}

function streamLimit(maxBytes: number): MiddlewareHandler {
  return honoBodyLimit({
    maxSize: maxBytes,
    onError: (context) => {
      // What still comes is read past, or the connection's next request would not be reached: the stream of
      // the body, which nobody reads any more, would hold it back.
      nodeBindings(context)?.incoming.removeAllListeners('data').resume();
      throw tooLarge(maxBytes);
    },
  });
}

function tooLarge(maxBytes: number): HttpProblem {
  return new HttpProblem(413, { detail: `The body must not be longer than ${maxBytes} bytes.` });
}
