import type { Context, MiddlewareHandler } from 'hono';
import type { Logger } from '../config/index.ts';
import { knownBody } from './known-bodies.ts';
import { nodeBindings } from './node-bindings.ts';
import { checkOptions, logger } from './option-checks.ts';
import { requestIdOf, routeOf } from './request-facts.ts';

export interface EndedBodiesOptions {
  /** Where the errors of bodies are written. @default nowhere */
  readonly log?: Pick<Logger, 'error'> | undefined;
}

const CHECKS = { log: logger('error') };

/**
 * Lets no body outlive its request, or reveal what is for the log. The answer to HEAD has none, so whatever
 * makes one is told to stop. One that fails while it is streamed is cut off, so that no client takes it for
 * complete; `@hono/node-server` would end it with the error's message.
 */
export function endedBodies(given: EndedBodiesOptions = {}): MiddlewareHandler {
  const { log } = checkOptions('endedBodies', given, CHECKS);
  return async function endBody(context, next) {
    await next();
    const ended = await withEndedBody(context.res, context, log);
    if (ended === context.res) return;
    // Undefined first: Hono would merge the headers of the old response into the new one.
    context.res = undefined as unknown as Response;
    context.res = ended;
  };
}

/** The response, or one in its place whose body tells nothing when it fails. */
export function withEndedBody(
  response: Response,
  context: Context,
  log: EndedBodiesOptions['log'],
): Response | Promise<Response> {
  if (knownBody(response) !== undefined) return response;
  const { body, status, headers } = response;
  if (body === null || body.locked) return response;
  if (context.req.method === 'HEAD') return body.cancel().then(() => response);
  const guarded = guard(body, (error) => {
    log?.error({ err: error, requestId: requestIdOf(context), route: routeOf(context) }, 'a body failed');
    return cutOff(context);
  });
  return new Response(guarded, { status, headers });
}

/** `onError` says whether the client has learnt of it: then nobody else needs to. */
function guard(
  body: ReadableStream<Uint8Array>,
  onError: (error: unknown) => boolean,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let isCancelled = false;
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        // Whoever read it has gone while this waited; the stream has ended, and takes nothing more.
        if (isCancelled) return;
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        if (onError(error)) controller.close();
        else controller.error(new Error('The body ended before its time.'));
      }
    },
    cancel(reason) {
      isCancelled = true;
      return reader.cancel(reason);
    },
  });
}

/** Only by its connection can a client see that an answer is incomplete. */
function cutOff(context: Context): boolean {
  const outgoing = nodeBindings(context)?.outgoing;
  if (outgoing === undefined) return false;
  // What is still written after this fails, as it should.
  outgoing.on('error', () => undefined);
  outgoing.destroy();
  return true;
}
