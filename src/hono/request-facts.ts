import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';

/** The id of the request, from `requestIds` or Hono's own middleware, if one is used. */
export function requestIdOf(context: Context): string | undefined {
  const id: unknown = context.get('requestId');
  return typeof id === 'string' ? id : undefined;
}

/** By path, then method. As many as the application has routes. */
const routes = new Map<string, Map<string, string>>();

/** `GET /users/:id`: the route that answers, never the address, which may hold names and tokens. */
export function routeOf(context: Context): string {
  // The last that matches is the handler; those before it are middleware.
  const path = matchedRoutes(context).at(-1)?.path ?? '/*';
  // A new text would be hashed by every table that it is looked up in: half a microsecond.
  const ofPath = routes.get(path) ?? new Map<string, string>();
  const { method } = context.req;
  const known = ofPath.get(method);
  if (known !== undefined) return known;
  const route = `${method} ${path}`;
  routes.set(path, ofPath.set(method, route));
  return route;
}
