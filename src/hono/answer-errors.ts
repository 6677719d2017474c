import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Logger } from '../config/index.ts';
import { TransactionClosedError } from '../errors/index.ts';
import { HttpProblem } from './http-problem.ts';
import { nodeBindings } from './node-bindings.ts';
import { checkOptions, logger } from './option-checks.ts';
import { CLIENT_GONE, ClientGoneError, problemOf } from './problem-of.ts';
import { requestIdOf } from './request-facts.ts';

export interface AnswerErrorsOptions {
  /** Where errors that are the service's fault are written, with their causes. @default nowhere */
  readonly log?: Pick<Logger, 'error' | 'warn'> | undefined;
}

const CHECKS = { log: logger('error', 'warn') };

/** The errors with which requests ended whose handlers may still be at work: see `transactional`. */
const lastWords = new WeakMap<Context, unknown>();

/**
 * From here on nothing but this error changes the answer: the request was given up, by a limit or because its
 * client has gone, and what its handler still says comes too late.
 */
export function sealAnswer(context: Context, error: unknown): void {
  lastWords.set(context, error);
}

/**
 * For `app.onError()`: every error becomes a problem response (RFC 9457) with the request's id. The client is
 * told what it can do something about; SQL, values, messages and stacks of errors go to the log.
 */
export function answerErrors(given: AnswerErrorsOptions = {}): ErrorHandler {
  const { log } = checkOptions('answerErrors', given, CHECKS);
  const gone = new WeakSet<Context>();
  return function answerError(error, context) {
    // Rethrown to the middleware that has given up on the handler and no longer listens: if it were returned,
    // it would be the answer.
    if (lastWords.has(context) && lastWords.get(context) !== error) throw error;
    const problem = problemOf(comesOfLeaving(context, error) ? new ClientGoneError() : error);
    const requestId = requestIdOf(context);
    if (problem.status >= 500) {
      log?.error({ err: error, requestId, status: problem.status }, 'a request failed');
    } else if (problem.status === CLIENT_GONE && !gone.has(context)) {
      // Once, though the handler may fail of it first and its transaction then.
      gone.add(context);
      log?.warn({ requestId }, 'the client went away before it was answered');
    }
    discardBody(context);
    if (error instanceof HTTPException && error.res !== undefined) return error.getResponse();
    return problem.getResponse(requestId);
  };
}

/** Nothing failed here: the rest of the body did not come, or the transaction was ended for that reason. */
function comesOfLeaving(context: Context, error: Error): boolean {
  if (error instanceof TransactionClosedError) return error.cause instanceof ClientGoneError;
  return nodeBindings(context)?.incoming.errored === error;
}

/** For `app.notFound()`: the same for paths that nothing answers. */
export const answerNotFound: NotFoundHandler = (context) =>
  new HttpProblem(404).getResponse(requestIdOf(context));

/**
 * Takes back a response that was made before the error: Hono would give its headers (a length, a cookie, a
 * location, an entity tag) to the answer about the error.
 */
export function discardBody(context: Context): void {
  if (!context.finalized) return;
  void context.res.body?.cancel().catch(() => undefined);
  // Undefined is how Hono itself is told to forget one.
  context.res = undefined as unknown as Response;
}
