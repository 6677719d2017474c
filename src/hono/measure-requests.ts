import type { Context, MiddlewareHandler } from 'hono';
import {
  assertWithinBudget,
  type MeasuredRequest,
  type Metrics,
  type QueryBudget,
} from '../metrics/index.ts';
import { UsageError } from '../errors/index.ts';
import { Exchange } from './exchange.ts';
import { checkOptions, integer, number, oneOf } from './option-checks.ts';
import { requestIdOf, routeOf } from './request-facts.ts';

/** A request that is measured; its budget is set by the route, when that is known. */
export interface Measuring {
  readonly request: MeasuredRequest;
  budget: QueryBudget | undefined;
}

const measured = new WeakMap<Context, Measuring>();

/**
 * Counts each request under its route, with what it asks of its databases. Goes before the routes; a request
 * that answers with 500 or more counts as failed.
 */
export function measureRequests(metrics: Metrics): MiddlewareHandler {
  return async function measureRequest(context, next) {
    const request = metrics.startRequest(routeOf(context), requestIdOf(context));
    const measuring: Measuring = { request, budget: undefined };
    measured.set(context, measuring);
    request.failed = true;
    try {
      await metrics.inRequest(request, next);
      request.failed = context.res.status >= 500;
    } finally {
      metrics.endRequest(request, measuring);
    }
  };
}

export interface QueryBudgetOptions extends QueryBudget {
  /**
   * What happens beyond the budget: the request fails, so that nobody overlooks it, or `route:over-budget` is
   * announced by the metrics.
   * @default 'event' where NODE_ENV is production, 'throw' elsewhere
   */
  readonly mode?: 'throw' | 'event' | undefined;
}

const DAY_MS = 86_400_000;
const CHECKS = {
  queries: integer(0, 1_000_000),
  rows: integer(0, 1_000_000_000),
  dbMs: number(0, DAY_MS),
  mode: oneOf(['throw', 'event']),
};

/**
 * The most that a route may ask of its databases: `app.get('/jobs', queryBudget({ queries: 3 }), …)`. What
 * the request did is done when it turns out to be too much.
 *
 * @throws ConfigError for wrong options
 */
export function queryBudget(given: QueryBudgetOptions): MiddlewareHandler {
  const { mode, ...budget } = checkOptions('queryBudget', given, CHECKS);
  const enforceBudget = (mode ?? defaultMode()) === 'throw';
  return async function budgetQueries(context, next) {
    const measuring = context.env instanceof Exchange ? context.env.measuring : measured.get(context);
    if (measuring === undefined) {
      throw new UsageError('queryBudget() measures with measureRequests(): put that before the routes.');
    }
    measuring.budget = budget;
    await next();
    if (enforceBudget) assertWithinBudget(routeOf(context), measuring.request.usage, budget);
  };
}

function defaultMode(): 'throw' | 'event' {
  return process.env['NODE_ENV'] === 'production' ? 'event' : 'throw';
}
