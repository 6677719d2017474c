import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';

/** The id of the request, from `requestIds` or Hono's own middleware, if one is used. */
export function requestIdOf(context: Context): string | undefined {
  const id: unknown = context.get('requestId');
  return typeof id === 'string' ? id : undefined;
}

/** `GET /users/:id`: the route that answers, never the address, which may hold names and tokens. */
export function routeOf(context: Context): string {
  // The last that matches is the handler; those before it are middleware.
  return `${context.req.method} ${matchedRoutes(context).at(-1)?.path ?? '/*'}`;
}
