import { Hono } from 'hono';
import { HttpProblem, rateLimit, readJson } from '../millpond/hono.ts';
import type { Queries } from '../queries.ts';
import { toCredentials } from './input.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import type { Tokens } from './tokens.ts';

/** Passwords that one client may try in a minute. */
const TRIES = { name: 'passwords', limit: 10, windowMs: 60_000 };

/** Who writes notes: a name, a password, and a token for each hour. */
export function userRoutes({ users }: Pick<Queries, 'users'>, tokens: Tokens): Hono {
  const routes = new Hono();
  const limitTries = rateLimit(TRIES);

  // A name that is taken is a ConstraintError, which is answered with 409.
  routes.post('/users', limitTries, async (c) => {
    const { name, password } = toCredentials(await readJson(c));
    const id = await users.addUser({ name, password: await hashPassword(password) });
    return c.json({ id }, 201);
  });

  routes.post('/tokens', limitTries, async (c) => {
    const { name, password } = toCredentials(await readJson(c));
    const user = await users.userByName({ name });
    // One answer for both: which names there are is nobody's business.
    if (!(await verifyPassword(password, user?.password)) || user === undefined)
      throw new HttpProblem(401, { detail: 'This name and password do not belong together.' });
    const token = await tokens.sign(user.id);
    return c.json({ token, expiresInSeconds: tokens.lifetimeSeconds }, 201, { 'cache-control': 'no-store' });
  });

  return routes;
}
