import { randomBytes } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { withPresetHeaders } from './preset-headers.ts';

/** What a proxy may have given: nothing that could be more than a word in a log. */
const GIVEN = /^[\w=-]{1,64}$/;

/**
 * Gives each request an id, or keeps the one of its `X-Request-Id`, and says it in the answer. The same
 * variable, `requestId`, as that of Hono's own middleware, whose header is missing where a handler makes its
 * `Response` by itself.
 */
export function requestIds(): MiddlewareHandler {
  return function identifyRequest(context, next) {
    const id = requestIdFor(context.req.header('x-request-id'));
    context.set('requestId', id);
    return withPresetHeaders(context, [['X-Request-Id', id]], next);
  };
}

/** The one that was given, where it is fit to be, or a new one. */
export function requestIdFor(given: string | readonly string[] | undefined): string {
  return typeof given === 'string' && GIVEN.test(given) ? given : newId();
}

const ID_LETTERS = 32;
const IDS_AT_ONCE = 512;
let letters = '';
let used = 0;

/** 128 random bits, of many that were drawn at once. */
function newId(): string {
  if (used === letters.length) {
    letters = randomBytes((IDS_AT_ONCE * ID_LETTERS) / 2).toString('hex');
    used = 0;
  }
  used += ID_LETTERS;
  return letters.slice(used - ID_LETTERS, used);
}
