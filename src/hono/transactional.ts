import type { Context, MiddlewareHandler } from 'hono';
import type { Logger } from '../config/index.ts';
import { transactional as inTransactionOf, type Database } from '../database/index.ts';
import { UsageError } from '../errors/index.ts';
import { TransactionHookError, type TransactionalOptions } from '../transaction/index.ts';
import { discardBody, sealAnswer } from './answer-errors.ts';
import { bodyReader } from './body-limit.ts';
import { clientSignal } from './client-signal.ts';
import { anything, callback, checkOptions, flag, integer, logger, number } from './option-checks.ts';
import { requestIdOf, routeOf } from './request-facts.ts';

export interface TransactionalRequestOptions {
  /** By its name, or several, or one that is open. @default 'main' */
  readonly database?: string | readonly string[] | Database | undefined;
  /**
   * Longest from holding the connection to the end, in milliseconds; then it is rolled back and the answer is
   * 504. 0 = no limit.
   * @default transactionTimeoutMs of the database
   */
  readonly timeoutMs?: number | undefined;
  /** @default true for GET and HEAD, false for other methods */
  readonly readOnly?: boolean | undefined;
  readonly isolation?: TransactionalOptions['isolation'];
  /** Decides after the handler, which did not throw. @default the status is below 400 */
  readonly commitWhen?: ((context: Context) => boolean) | undefined;
  /**
   * Reads the body before the transaction begins, so that no slow client holds it open. Off for handlers that
   * read `c.req.raw.body` as a stream.
   * @default true
   */
  readonly readBodyFirst?: boolean | undefined;
  /** Longest body that is read so, in bytes; then the answer is 413. @default 1_048_576 */
  readonly maxBodyBytes?: number | undefined;
  /** Told when an `onCommit` callback failed: the request has succeeded nevertheless. @default nowhere */
  readonly log?: Pick<Logger, 'error'> | undefined;
}

const DAY_MS = 86_400_000;
const MIB = 1_048_576;
const CHECKS = {
  database: anything,
  timeoutMs: number(0, DAY_MS),
  readOnly: flag,
  isolation: anything,
  commitWhen: callback,
  readBodyFirst: flag,
  maxBodyBytes: integer(0, 1_024 * MIB),
  log: logger('error'),
};
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** These methods do not ask for the resource. */
const WITHOUT: ReadonlySet<string> = new Set(['OPTIONS', 'TRACE']);

/** Why a transaction was rolled back though nothing was thrown, for its `onRollback` callbacks. */
export class ResponseRollbackError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`The response has the status ${status}.`);
    this.name = 'ResponseRollbackError';
    this.status = status;
  }
}

/**
 * Runs each request in one transaction, which the database's calls in the handler join by themselves. It
 * commits when the handler returned a response below 400, and that before the response is sent; it rolls back
 * when the handler threw, when the status is 400 or more, when the client went away, and at the time limit. A
 * body that is streamed is sent after the commit, outside the transaction.
 *
 * @throws ConfigError for wrong options
 */
export function transactional(given: TransactionalRequestOptions = {}): MiddlewareHandler {
  const options = checkOptions('transactional', given, CHECKS);
  const { commitWhen = isSuccess, readBodyFirst = true, maxBodyBytes = MIB } = options;
  const readBody = readBodyFirst ? bodyReader(maxBodyBytes) : undefined;
  const run = runner(options);
  return async function transactionalRequest(context, next) {
    const { method } = context.req;
    if (WITHOUT.has(method)) return next();
    await readBody?.(context);
    using client = clientSignal(context);
    let isOver = false;
    const work = async (): Promise<void> => {
      await next();
      // The client, or the limit, came first: there is nothing left to decide.
      if (isOver) return;
      if (context.error !== undefined) throw context.error;
      if (!context.finalized) throw noResponse(context);
      if (!commitWhen(context)) throw new ResponseRollbackError(context.res.status);
    };
    try {
      await run(context, work, client.signal);
    } catch (error) {
      isOver = true;
      if (!isAnswered(context, error, options.log)) throw error;
    }
    return undefined;
  };
}

/** Hono answers 500 where nothing was returned: nothing may have been written then. */
function noResponse(context: Context): UsageError {
  return new UsageError(`The handler of ${routeOf(context)} returned no response. Is a \`return\` missing?`);
}

/**
 * Whether the response stands although the transaction rejected: it was rolled back on purpose, or is
 * committed and only a callback failed.
 */
function isAnswered(context: Context, error: unknown, log: TransactionalRequestOptions['log']): boolean {
  if (error instanceof ResponseRollbackError || (error !== undefined && error === context.error)) return true;
  if (error instanceof TransactionHookError) {
    log?.error({ err: error, requestId: requestIdOf(context) }, 'a callback of a committed request failed');
    return true;
  }
  // The handler may still be at work, or its answer may speak of something that did not happen.
  discardBody(context);
  sealAnswer(context, error);
  return false;
}

type Run = (context: Context, work: () => Promise<void>, signal: AbortSignal) => Promise<void>;

function runner({ database, timeoutMs, readOnly, isolation }: TransactionalRequestOptions): Run {
  return (context, work, signal) => {
    const options = {
      readOnly: readOnly ?? SAFE.has(context.req.method),
      name: routeOf(context),
      timeoutMs,
      isolation,
      signal,
    };
    if (typeof database === 'object' && 'transaction' in database) return database.transaction(work, options);
    return inTransactionOf(work, { ...options, database })();
  };
}

function isSuccess(context: Context): boolean {
  return context.res.status < 400;
}
