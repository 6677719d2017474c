import type { Context, MiddlewareHandler } from 'hono';
import { HttpProblem } from './http-problem.ts';

/** Who makes the request, as `jwtAuth` read it from a token that it verified. */
export interface User {
  /** The subject of the token. */
  readonly id: string;
  readonly roles: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
}

const users = new WeakMap<Context, User>();

/** Undefined where the request has no token, and `jwtAuth` lets that pass. */
export function userOf(context: Context): User | undefined {
  return users.get(context);
}

/** For `jwtAuth`. */
export function setUser(context: Context, user: User): void {
  users.set(context, user);
}

/** Lets users with one of the roles pass: others get 403, and nobody at all 401. */
export function requireRole(...roles: readonly [string, ...string[]]): MiddlewareHandler {
  return async function requireOneRole(context, next) {
    const user = userOf(context);
    if (user === undefined) throw unauthorized();
    if (!roles.some((role) => user.roles.includes(role))) throw new HttpProblem(403);
    await next();
  };
}

/** The same for every reason: what is wrong with a token is for nobody who has a wrong one. */
export function unauthorized(error?: 'invalid_token'): HttpProblem {
  const challenge = error === undefined ? 'Bearer' : `Bearer error="${error}"`;
  return new HttpProblem(401, { headers: { 'WWW-Authenticate': challenge } });
}
