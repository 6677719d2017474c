import { Hono, type MiddlewareHandler } from 'hono';
import type { Logger, LogLevel } from '../config/index.ts';
import { createLogger, type Database } from '../database/index.ts';
import type { Metrics } from '../metrics/index.ts';
import { accessLog } from './access-log.ts';
import { answerErrors, answerNotFound } from './answer-errors.ts';
import { bodyLimit } from './body-limit.ts';
import { clientAddressBehind, networkCheck } from './client-address.ts';
import { compress, type CompressOptions } from './compress.ts';
import { cors, type CorsOptions } from './cors.ts';
import { endedBodies } from './ended-bodies.ts';
import { healthRoutes } from './health-routes.ts';
import { jwtAuth } from './jwt-auth.ts';
import type { JwtAuthOptions } from './jwt-options.ts';
import { levelled } from './levelled-logger.ts';
import { measureRequests } from './measure-requests.ts';
import { anything, checkOptions, flag, integer, list, text } from './option-checks.ts';
import { rateLimit, type RateLimitOptions } from './rate-limit.ts';
import type { Environment } from './read-environment.ts';
import { requestIds } from './request-ids.ts';
import { securityHeaders, type SecurityHeaders } from './security-headers.ts';
import { readServerEnvironment } from './server-environment.ts';
import { prepareServer } from './server-state.ts';
import { transactional, type TransactionalRequestOptions } from './transactional.ts';
import { trustedHosts } from './trusted-hosts.ts';

/** What serves the pages and figures of the monitor, with a guard of its own: `createMonitor()` fits. */
export interface MountedMonitor {
  /** @default '/monitoring' */
  readonly basePath?: string;
  handle(request: Request): Response | Promise<Response>;
  /** Called when the service begins to stop: pages that are open would keep it waiting. */
  close?(): void;
}

/** What is not said here is read from the environment, then has its default. See docs/http.md. */
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
  const app = new Hono();
  const log = levelled(createLogger(options.log ?? 'info'));
  const state = prepareServer(app, options.databases ?? [], log);
  app.onError(answerErrors({ log }));
  app.notFound(answerNotFound);
  app.use(requestIds());
  // Asked by balancers, by address, all the time: before the hosts are checked, and not in the log.
  app.route('/', healthRoutes({ databases: options.databases, stopping: state.stopping.signal }));
  for (const middleware of stack(options, log)) app.use(middleware);
  if (options.monitor !== undefined) mount(app, options.monitor, state.stopping.signal);
  for (const middleware of aroundRoutes(options)) app.use(middleware);
  return app;
}

function mount(app: Hono, monitor: MountedMonitor, stopping: AbortSignal): void {
  const { basePath = '/monitoring' } = monitor;
  const serve: MiddlewareHandler = async (context) => monitor.handle(context.req.raw);
  app.all(basePath, serve).all(`${basePath}/*`, serve);
  stopping.addEventListener('abort', () => monitor.close?.());
}

/** From the outside in. */
function stack(options: CreateServerOptions, log: Logger): MiddlewareHandler[] {
  const { hosts, trustedProxies, maxBodyBytes: maxBytes } = options;
  const address = clientAddressBehind(trustedProxies);
  const middlewares = [endedBodies({ log }), accessLog({ log, paths: options.logPaths, address })];
  if (options.metrics !== undefined) middlewares.push(measureRequests(options.metrics));
  if (options.securityHeaders !== false) middlewares.push(securityHeaders(options.securityHeaders));
  if (hosts !== undefined) middlewares.push(trustedHosts(hosts));
  if (options.cors !== undefined) middlewares.push(cors(options.cors));
  if (options.rateLimit !== undefined) {
    middlewares.push(rateLimit({ trustedProxies, log, ...options.rateLimit }));
  }
  if (options.compress !== false) middlewares.push(compress(options.compress));
  middlewares.push(bodyLimit({ maxBytes }));
  return middlewares;
}

/** What the monitor, which has its own guard, goes without. */
function aroundRoutes({
  auth,
  publicPaths = [],
  transaction,
  maxBodyBytes,
}: CreateServerOptions): MiddlewareHandler[] {
  const middlewares: MiddlewareHandler[] = [];
  if (auth !== undefined) middlewares.push(unlessPublic(publicPaths, jwtAuth(auth)));
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
  const said = readServerEnvironment(given.environment);
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
