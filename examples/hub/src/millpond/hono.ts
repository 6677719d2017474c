/** `millpond/hono` */
export {
  createServer,
  HttpProblem,
  jwtAuth,
  queryBudget,
  rateLimit,
  readJson,
  startServer,
  transactional,
  userOf,
} from '../../../../src/hono/index.ts';
