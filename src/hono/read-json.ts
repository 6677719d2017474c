import type { Context } from 'hono';
import { HttpProblem } from './http-problem.ts';

export interface ReadJsonOptions {
  /** Most objects and lists inside one another. @default 32 */
  readonly maxDepth?: number | undefined;
}

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/**
 * The JSON that a request carries, or a problem for its client: 415 where it does not say that it is JSON
 * (which forms of foreign sites cannot), 400 for what is no JSON, no UTF-8, nested too deep, or has a key
 * `__proto__`. How long it may be is for `bodyLimit`.
 */
export async function readJson<T = unknown>(
  context: Context,
  { maxDepth = 32 }: ReadJsonOptions = {},
): Promise<T> {
  if (!JSON_TYPE.test(context.req.header('content-type') ?? '')) {
    throw new HttpProblem(415, { detail: 'The body must be application/json.' });
  }
  const bytes = new Uint8Array(await context.req.arrayBuffer());
  // Before parsing: deep nesting costs much more than its bytes, both then and whenever the value is walked.
  if (depthOf(bytes) > maxDepth) throw badJson(`nested deeper than ${maxDepth}`);
  try {
    return JSON.parse(DECODER.decode(bytes), refuseProto) as T;
  } catch (error) {
    throw error instanceof HttpProblem ? error : badJson('not valid JSON in UTF-8');
  }
}

/** `__proto__` is a plain key for JSON.parse, and the prototype for code that copies it. */
function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw badJson('not accepted with a key "__proto__"');
  return value;
}

/** Counts brackets outside of strings. */
function depthOf(bytes: Uint8Array): number {
  let [depth, deepest] = [0, 0];
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (inString && byte === BACKSLASH) at++;
    else if (byte === QUOTE) inString = !inString;
    else if (!inString && OPENING.has(byte)) deepest = Math.max(deepest, ++depth);
    else if (!inString && CLOSING.has(byte)) depth--;
  }
  return deepest;
}

function badJson(what: string): HttpProblem {
  return new HttpProblem(400, { detail: `The body is ${what}.` });
}
