export { createServer, type CreateServerOptions, type MountedMonitor } from './create-server.ts';
export { startServer, type RunningServer, type StartServerOptions } from './start-server.ts';
export { ResponseRollbackError, transactional, type TransactionalRequestOptions } from './transactional.ts';
export { answerErrors, answerNotFound, type AnswerErrorsOptions } from './answer-errors.ts';
export { HttpProblem, type HttpProblemDetails } from './http-problem.ts';
export { ClientGoneError } from './problem-of.ts';
export { accessLog, type AccessLogOptions } from './access-log.ts';
export { bodyLimit, type BodyLimitOptions } from './body-limit.ts';
export { clientAddressBehind, type ClientAddress } from './client-address.ts';
export { compress, type CompressOptions } from './compress.ts';
export type { Encoding } from './accept-encoding.ts';
export { cors, type CorsOptions } from './cors.ts';
export { endedBodies, type EndedBodiesOptions } from './ended-bodies.ts';
export { healthRoutes, type HealthRoutesOptions } from './health-routes.ts';
export { jwtAuth } from './jwt-auth.ts';
export type { JwtAlgorithm, JwtAuthOptions } from './jwt-options.ts';
export { KeySetError } from './key-set-fetch.ts';
export { measureRequests, queryBudget, type QueryBudgetOptions } from './measure-requests.ts';
export { rateLimit, type RateLimitOptions } from './rate-limit.ts';
export { optional, readEnvironment, variable, type Environment, type Variable } from './read-environment.ts';
export { readJson, type ReadJsonOptions } from './read-json.ts';
export { readYourWrites, type ReadYourWritesOptions } from './read-your-writes.ts';
export { RedisWindow, type RedisScripts } from './redis-window.ts';
export { requestIds } from './request-ids.ts';
export { securityHeaders, type SecurityHeaders } from './security-headers.ts';
export {
  SlidingWindow,
  type RateLimitStore,
  type SlidingWindowOptions,
  type Taken,
  type WindowPolicy,
} from './sliding-window.ts';
export { trustedHosts } from './trusted-hosts.ts';
export { requireRole, userOf, type User } from './user.ts';
