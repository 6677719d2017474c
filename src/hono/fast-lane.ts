import { ServerResponse } from 'node:http';
import type { Hono } from 'hono';
import type { Logger } from '../config/index.ts';
import type { MeasuredRequest, Metrics } from '../metrics/index.ts';
import { roundedMs, writeAccess } from './access-log.ts';
import { declaresShortBody } from './body-limit.ts';
import { incomingAddressBehind } from './client-address.ts';
import type { Compressor } from './compress.ts';
import type { CorsMarks } from './cors.ts';
import { withEndedBody } from './ended-bodies.ts';
import { Exchange } from './exchange.ts';
import { headerPlanOf } from './header-plan.ts';
import { knownBody } from './known-bodies.ts';
import type { LanedRouter } from './laned-router.ts';
import type { NodeBindings } from './node-bindings.ts';
import type { RateLimiter } from './rate-limit.ts';
import { routeOf } from './request-facts.ts';
import { requestIdFor } from './request-ids.ts';
import { givenHost } from './trusted-hosts.ts';

/** What the middleware of `createServer` is made of. */
export interface FastLaneParts {
  readonly log: Logger;
  readonly logPaths: boolean;
  readonly trustedProxies: readonly string[] | undefined;
  readonly metrics: Metrics | undefined;
  /** Flat, names in lower case. */
  readonly securityHeaders: readonly string[];
  readonly isTrustedHost: ((host: string) => boolean) | undefined;
  readonly cors: CorsMarks | undefined;
  readonly limiter: RateLimiter | undefined;
  readonly compressor: Compressor | undefined;
  readonly maxBodyBytes: number;
}

type Fetch = Hono['fetch'];

const METHODS: ReadonlySet<unknown> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Does for usual requests what the middleware of `createServer` does for all, without Hono's chain of
 * promises: that alone costs a fifth of a small request. Whatever it cannot accept at once goes through the
 * middleware, which is what refuses requests.
 */
export class FastLane {
  readonly #parts: FastLaneParts;
  readonly #router: LanedRouter;
  readonly #dispatch: Fetch;
  readonly #addressOf: ReturnType<typeof incomingAddressBehind>;

  constructor(parts: FastLaneParts, router: LanedRouter, dispatch: Fetch) {
    this.#parts = parts;
    this.#router = router;
    this.#dispatch = dispatch;
    this.#addressOf = incomingAddressBehind(parts.trustedProxies);
  }

  fetch: Fetch = (request, env, executionCtx) => {
    const isOurs = executionCtx === undefined && isUsual(env) && this.#isAllowed(env);
    const exchange = isOurs ? this.#begin(env) : undefined;
    if (exchange === undefined) return this.#dispatch(request, env, executionCtx);
    const { measuring } = exchange;
    if (measuring !== undefined) return this.#measured(request, exchange, measuring.request);
    const response = this.#serve(request, exchange);
    return response instanceof Promise
      ? response.then((ready) => this.#finish(exchange, ready))
      : this.#finish(exchange, response);
  };

  #isAllowed({ incoming }: NodeBindings): boolean {
    const { isTrustedHost, maxBodyBytes } = this.#parts;
    if (!declaresShortBody(incoming, maxBodyBytes)) return false;
    if (isTrustedHost === undefined) return true;
    const host = givenHost(incoming);
    return host !== undefined && isTrustedHost(host);
  }

  /** Undefined where the client has asked too often. */
  #begin(bindings: NodeBindings): Exchange | undefined {
    const { securityHeaders, cors, limiter, metrics } = this.#parts;
    const { incoming, outgoing } = bindings;
    const limit = limiter?.takeNow?.(incoming);
    if (limit === undefined && limiter?.takeNow !== undefined) return undefined;
    const plan = headerPlanOf(outgoing)!;
    const exchange = new Exchange(bindings, requestIdFor(incoming.headers['x-request-id']));
    plan.addDefaults(securityHeaders);
    plan.addDefault('x-request-id', exchange.requestId);
    if (limit !== undefined) plan.addDefaults(limit);
    if (cors !== undefined) plan.fix(cors.headersFor(incoming.headers.origin), cors.vary);
    if (metrics !== undefined) {
      const { requestId, startedAtMs } = exchange;
      const request = metrics.startRequest(`${incoming.method} /*`, requestId, startedAtMs);
      exchange.measuring = { request, budget: undefined };
    }
    return exchange;
  }

  #serve(request: Request, exchange: Exchange): Response | Promise<Response> {
    this.#router.isNextFast = true;
    try {
      return this.#dispatch(request, exchange);
    } finally {
      this.#router.isNextFast = false;
    }
  }

  #measured(request: Request, exchange: Exchange, measured: MeasuredRequest): Response | Promise<Response> {
    // Thrown through Hono: something that is no error.
    const fail = (error: unknown): never => {
      measured.failed = true;
      this.#parts.metrics!.endRequest(measured, exchange.measuring);
      throw error;
    };
    let response: Response | Promise<Response>;
    try {
      response = this.#parts.metrics!.inRequest(measured, () => this.#serve(request, exchange));
    } catch (error) {
      return fail(error);
    }
    return response instanceof Promise
      ? response.then((ready) => this.#finish(exchange, ready), fail)
      : this.#finish(exchange, response);
  }

  /** In the order of the middleware, from the inside out. */
  #finish(exchange: Exchange, response: Response): Response | Promise<Response> {
    const { compressor } = this.#parts;
    if (compressor === undefined) return this.#end(exchange, response);
    const { headers, method = 'GET' } = exchange.incoming;
    const packed = compressor(response, method, headers['accept-encoding']?.toString());
    return packed instanceof Promise
      ? packed.then((ready) => this.#end(exchange, ready))
      : this.#end(exchange, packed);
  }

  #end(exchange: Exchange, response: Response): Response | Promise<Response> {
    const { log, logPaths, metrics } = this.#parts;
    const { incoming, context, requestId, measuring } = exchange;
    const measured = measuring?.request.route;
    const route = measured ?? (context === undefined ? `${incoming.method} /*` : routeOf(context));
    const { status } = response;
    const endedAtMs = performance.now();
    if (measuring !== undefined) {
      measuring.request.failed = status >= 500;
      metrics!.endRequest(measuring.request, measuring, endedAtMs);
    }
    const durationMs = roundedMs(endedAtMs - exchange.startedAtMs);
    const client = this.#addressOf(incoming);
    const fields = { requestId, route, status, durationMs, client };
    writeAccess(log, logPaths && context !== undefined ? { ...fields, path: context.req.path } : fields);
    const body = knownBody(response);
    if (body instanceof Uint8Array) sendInOnePiece(exchange.outgoing, body.byteLength);
    if (context === undefined || body !== undefined) return response;
    return withEndedBody(response, context, log);
  }
}

/** A longer body is sent as it is: to copy it would take more time than is saved. */
const MOST_COPIED = 65_536;

/**
 * Node joins a head and its body only where both are text; two pieces cost half as much again as one. As text
 * in Latin-1, each byte is one letter.
 */
function sendInOnePiece(outgoing: ServerResponse, length: number): void {
  if (length <= MOST_COPIED) outgoing.end = endAsText;
}

function endAsText(this: ServerResponse, ...given: readonly unknown[]): ServerResponse {
  const [body] = given;
  if (!(body instanceof Uint8Array) || given.length > 1) return node.end.call(this, ...given);
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return node.end.call(this, bytes.toString('latin1'), 'latin1');
}

const node = ServerResponse.prototype as { readonly end: typeof endAsText };

/** A request of HTTP/1 on a socket, which is not about health: that has no middleware. */
function isUsual(env: unknown): env is NodeBindings {
  // One that is in the lane already comes through another application.
  if (typeof env !== 'object' || env === null || env instanceof Exchange) return false;
  const { incoming, outgoing } = env as Partial<NodeBindings>;
  if (incoming === undefined || !(outgoing instanceof ServerResponse)) return false;
  return METHODS.has(incoming.method) && incoming.url?.startsWith('/health/') === false;
}
