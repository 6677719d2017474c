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
    writeAccess(log, {
      requestId: requestIdOf(context),
      route: routeOf(context),
      status: context.res.status,
      durationMs: roundedMs(performance.now() - startedAt),
      ...(paths ? { path: context.req.path } : {}),
      ...(address === undefined ? {} : { client: address(context) }),
    });
  };
}

/** What a line says of a request. */
export interface AccessFields {
  readonly requestId: string | undefined;
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  readonly path?: string;
  readonly client?: string | undefined;
}

export function writeAccess(log: AccessLogOptions['log'], fields: AccessFields): void {
  if (fields.status >= 500) log.warn(fields, 'request');
  else log.info(fields, 'request');
}

/** To whole microseconds. */
export function roundedMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
