import { randomUUID } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { withPresetHeaders } from './preset-headers.ts';

/** What a proxy may have given: only what is harmless as a word in a log. */
const GIVEN = /^[\w=-]{1,64}$/;

/**
 * Gives each request an id, or keeps the one of its `X-Request-Id`, and says it in the answer. The same
 * variable, `requestId`, as that of Hono's own middleware, whose header is missing where a handler makes its
 * own `Response`.
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
  return typeof given === 'string' && GIVEN.test(given) ? given : randomUUID();
}
