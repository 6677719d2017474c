import { Hono, type MiddlewareHandler } from 'hono';
import type { Logger, LogLevel } from '../config/index.ts';
import { createLogger, type Database } from '../database/index.ts';
import type { Metrics } from '../metrics/index.ts';
import { accessLog } from './access-log.ts';
import { answerErrors, answerNotFound } from './answer-errors.ts';
import { bodyLimit } from './body-limit.ts';
import { clientAddressBehind, networkCheck } from './client-address.ts';
import { compress, compressor, type CompressOptions } from './compress.ts';
import { cors, corsMarks, type CorsOptions } from './cors.ts';
import { endedBodies } from './ended-bodies.ts';
import { environmentFaults } from './environment-faults.ts';
import { Exchange } from './exchange.ts';
import { FastLane, type FastLaneParts } from './fast-lane.ts';
import { flat } from './header-plan.ts';
import { healthRoutes } from './health-routes.ts';
import { jwtAuth } from './jwt-auth.ts';
import type { JwtAuthOptions } from './jwt-options.ts';
import { LanedRouter } from './laned-router.ts';
import { levelled } from './levelled-logger.ts';
import { measureRequests } from './measure-requests.ts';
import { anything, checkOptions, flag, integer, list, text } from './option-checks.ts';
import { rateLimiter, type RateLimitOptions } from './rate-limit.ts';
import type { Environment } from './read-environment.ts';
import { readYourWrites, type ReadYourWritesOptions } from './read-your-writes.ts';
import { requestIds } from './request-ids.ts';
import { securityHeaderEntries, securityHeaders, type SecurityHeaders } from './security-headers.ts';
import { readServerEnvironment } from './server-environment.ts';
import { prepareServer } from './server-state.ts';
import { transactional, type TransactionalRequestOptions } from './transactional.ts';
import { trustedHostMatcher, trustedHosts } from './trusted-hosts.ts';

/** What serves the pages and figures of the monitor, with a guard of its own: `createMonitor()` fits. */
export interface MountedMonitor {
  /** @default '/monitoring' */
  readonly basePath?: string;
  /** @param client the address that asks, as far as `trustedProxies` let it be known */
  handle(request: Request, client?: string): Response | Promise<Response>;
  /** Called when the service begins to stop: pages that are open would keep it waiting. */
  close?(): void;
}

/** What is not given here is read from the environment, then has its default. See docs/http.md. */
export interface CreateServerOptions {
  /** Must answer for the service to be ready. @default none */
  readonly databases?: readonly Database[] | undefined;
  /** Hosts that are served, for instance `*.example.com`. @default TRUSTED_HOSTS, then all */
  readonly hosts?: readonly string[] | undefined;
  /** Proxies that are believed about their clients. @default TRUSTED_PROXIES, then none */
  readonly trustedProxies?: readonly string[] | undefined;
  /** @default CORS_ORIGINS, then no other origins */
  readonly cors?: CorsOptions | undefined;
  /** For each client address. @default RATE_LIMIT_MAX, RATE_LIMIT_WINDOW, then none */
  readonly rateLimit?: RateLimitOptions | undefined;
  /** Tokens, for all paths but `publicPaths`. @default JWT_…, then none */
  readonly auth?: JwtAuthOptions | undefined;
  /** Paths that need no token, or beginnings of paths with `*` at the end. @default none */
  readonly publicPaths?: readonly string[] | undefined;
  /** Longest body, in bytes. @default BODY_LIMIT_BYTES, then 1_048_576 */
  readonly maxBodyBytes?: number | undefined;
  /** False: bodies are sent as they are. */
  readonly compress?: CompressOptions | false | undefined;
  readonly securityHeaders?: SecurityHeaders | false | undefined;
  /** Each request in a transaction. @default false: routes say so with `transactional()` */
  readonly transaction?: TransactionalRequestOptions | boolean | undefined;
  /** Reads from replicas see what the request and its client wrote. @default false: `readYourWrites()` */
  readonly readYourWrites?: ReadYourWritesOptions | boolean | undefined;
  /** Counts requests under their routes. @default not counted */
  readonly metrics?: Metrics | undefined;
  readonly monitor?: MountedMonitor | undefined;
  /** A level, or a logger. @default LOG_LEVEL, then 'info' */
  readonly log?: LogLevel | Logger | undefined;
  /** Writes paths into the access log, not only routes. @default false */
  readonly logPaths?: boolean | undefined;
  /** @default process.env */
  readonly environment?: Environment | undefined;
}

const MIB = 1_048_576;
const CHECKS = {
  databases: list(anything),
  hosts: anything,
  trustedProxies: list(networkCheck),
  cors: anything,
  rateLimit: anything,
  auth: anything,
  publicPaths: list(text()),
  maxBodyBytes: integer(0, 1_073_741_824),
  compress: anything,
  securityHeaders: anything,
  transaction: anything,
  readYourWrites: anything,
  metrics: anything,
  monitor: anything,
  log: anything,
  logPaths: flag,
  environment: anything,
};

/**
 * A Hono application with everything around the routes set up, in the right order. Add routes, then
 * `startServer`.
 *
 * @throws ConfigError for wrong options and a wrong environment
 */
export function createServer(given: CreateServerOptions = {}): Hono {
  const options = checkOptions('createServer', withEnvironment(given), CHECKS);
  const log = levelled(createLogger(options.log ?? 'info'));
  const { middlewares, parts } = stack(options, log);
  const spared = new Set([identify, ...middlewares]);
  // One that has to wait, or to ask the application, does so among the routes.
  if (parts.limiter?.takeNow === undefined && parts.limiter !== undefined) {
    spared.delete(parts.limiter.middleware);
  }
  const router = new LanedRouter(spared);
  const app = new Hono({ router });
  useFastLane(app, new FastLane(parts, router, app.fetch));
  const state = prepareServer(app, options.databases ?? [], log);
  app.onError(answerErrors({ log }));
  app.notFound(answerNotFound);
  app.use(identify);
  // Load balancers ask for it by address, all the time: so it comes before the hosts are checked, and is not
  // logged.
  app.route('/', healthRoutes({ databases: options.databases, stopping: state.stopping.signal }));
  for (const middleware of middlewares) app.use(middleware);
  mountMonitor(app, options, state.stopping.signal);
  for (const middleware of aroundRoutes(options)) app.use(middleware);
  return app;
}

const identify = requestIds();

function useFastLane(app: Hono, lane: FastLane): void {
  const setNotFound = app.notFound;
  app.fetch = lane.fetch;
  // What nothing matches has no handler that the lane would meet its context in.
  app.notFound = (handler) =>
    setNotFound((context) => {
      if (context.env instanceof Exchange) context.env.meet(context);
      return handler(context);
    });
}

function mountMonitor(
  app: Hono,
  { monitor, trustedProxies }: CreateServerOptions,
  stopping: AbortSignal,
): void {
  if (monitor === undefined) return;
  const { basePath = '/monitoring' } = monitor;
  const clientOf = clientAddressBehind(trustedProxies);
  const serve: MiddlewareHandler = async (context) => monitor.handle(context.req.raw, clientOf(context));
  app.all(basePath, serve).all(`${basePath}/*`, serve);
  stopping.addEventListener('abort', () => monitor.close?.());
}

/** From the outside in; and the same as parts. */
function stack(
  options: CreateServerOptions,
  log: Logger,
): { readonly middlewares: readonly MiddlewareHandler[]; readonly parts: FastLaneParts } {
  const { hosts, trustedProxies, maxBodyBytes, metrics, logPaths } = options;
  const limiter =
    options.rateLimit === undefined ? undefined : rateLimiter({ trustedProxies, log, ...options.rateLimit });
  const headers = options.securityHeaders;
  const middlewares = [
    endedBodies({ log }),
    accessLog({ log, paths: logPaths, address: clientAddressBehind(trustedProxies) }),
    ...(metrics === undefined ? [] : [measureRequests(metrics)]),
    ...(headers === false ? [] : [securityHeaders(headers)]),
    ...(hosts === undefined ? [] : [trustedHosts(hosts)]),
    ...(options.cors === undefined ? [] : [cors(options.cors)]),
    ...(limiter === undefined ? [] : [limiter.middleware]),
    ...(options.compress === false ? [] : [compress(options.compress)]),
    bodyLimit({ maxBytes: maxBodyBytes }),
  ];
  const parts: FastLaneParts = {
    log,
    logPaths: logPaths ?? false,
    trustedProxies,
    metrics,
    securityHeaders: headers === false ? [] : flat(securityHeaderEntries(headers)),
    isTrustedHost: hosts === undefined ? undefined : trustedHostMatcher(hosts),
    cors: options.cors === undefined ? undefined : corsMarks(options.cors),
    limiter,
    compressor: options.compress === false ? undefined : compressor(options.compress),
    maxBodyBytes: maxBodyBytes ?? MIB,
  };
  return { middlewares, parts };
}

/** What the monitor, which has its own guard, goes without. */
function aroundRoutes({
  auth,
  publicPaths = [],
  transaction,
  maxBodyBytes,
  readYourWrites: reading,
}: CreateServerOptions): MiddlewareHandler[] {
  const middlewares: MiddlewareHandler[] = [];
  if (auth !== undefined) middlewares.push(unlessPublic(publicPaths, jwtAuth(auth)));
  if (reading !== undefined && reading !== false) {
    middlewares.push(readYourWrites(reading === true ? {} : reading));
  }
  if (transaction !== undefined && transaction !== false) {
    middlewares.push(transactional({ maxBodyBytes, ...(transaction === true ? {} : transaction) }));
  }
  return middlewares;
}

function unlessPublic(paths: readonly string[], guard: MiddlewareHandler): MiddlewareHandler {
  const exact = new Set(paths.filter((path) => !path.endsWith('*')));
  const beginnings = paths.filter((path) => path.endsWith('*')).map((path) => path.slice(0, -1));
  return async function guardUnlessPublic(context, next) {
    const { path } = context.req;
    if (exact.has(path) || beginnings.some((beginning) => path.startsWith(beginning))) return next();
    return guard(context, next);
  };
}

function withEnvironment(given: CreateServerOptions): CreateServerOptions {
  const said = readServerEnvironment(given.environment, (read, environment) =>
    environmentFaults(read, given, environment),
  );
  const { corsOrigins: origins } = said;
  return {
    hosts: said.hosts,
    trustedProxies: said.trustedProxies,
    cors: origins === undefined ? undefined : { origins },
    rateLimit: said.rateLimit,
    auth: said.auth,
    maxBodyBytes: said.maxBodyBytes,
    log: said.log,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}
