import type { Context, Next } from 'hono';
import { flat, headerPlanOf, type HeaderEntries } from './header-plan.ts';
import { nodeBindings } from './node-bindings.ts';

/** Serves the request with headers that its answer has unless the handler sets them itself. */
export function withPresetHeaders(context: Context, headers: HeaderEntries, next: Next): Promise<void> {
  const bindings = nodeBindings(context);
  const plan = bindings === undefined ? undefined : headerPlanOf(bindings.outgoing);
  if (plan === undefined) return addAfter(context, headers, next);
  plan.addDefaults(flat(headers));
  return next();
}

async function addAfter(context: Context, headers: HeaderEntries, next: Next): Promise<void> {
  await next();
  const target = context.res.headers;
  for (const [name, value] of headers) if (!target.has(name)) target.set(name, value);
}
