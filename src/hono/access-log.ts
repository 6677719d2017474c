import type { MiddlewareHandler } from 'hono';
import type { Logger } from '../config/index.ts';
import { callback, checkOptions, flag, logger } from './option-checks.ts';
import { requestIdOf, routeOf } from './request-facts.ts';
import type { ClientAddress } from './client-address.ts';

export interface AccessLogOptions {
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /**
   * Writes the path that was asked for beside the route. Paths may hold names and tokens; queries are never
   * written.
   * @default false
   */
  readonly paths?: boolean | undefined;
  /** From `clientAddressBehind()`: writes the client's address too. @default none */
  readonly address?: ClientAddress | undefined;
}

const CHECKS = { log: logger('info', 'warn'), paths: flag, address: callback };

/** One line for each request, when its answer is ready: `warn` from status 500 on, `info` otherwise. */
export function accessLog(given: AccessLogOptions): MiddlewareHandler {
  const { log, paths = false, address } = checkOptions('accessLog', given, CHECKS);
  return async function logAccess(context, next) {
    const startedAt = performance.now();
    await next();
    const { status } = context.res;
    const fields = {
      requestId: requestIdOf(context),
      route: routeOf(context),
      status,
      durationMs: Math.round((performance.now() - startedAt) * 1_000) / 1_000,
      ...(paths ? { path: context.req.path } : {}),
      ...(address === undefined ? {} : { client: address(context) }),
    };
    if (status >= 500) log.warn(fields, 'request');
    else log.info(fields, 'request');
  };
}
