import type { Context, Next } from 'hono';
import { nodeBindings } from './node-bindings.ts';

export type HeaderEntries = readonly (readonly [name: string, value: string])[];

/**
 * Serves the request with headers that its answer has unless the handler sets them itself. They are given to
 * Node's response where there is one: the `Headers` of a `Response` cost ten times as much.
 */
export function withPresetHeaders(context: Context, headers: HeaderEntries, next: Next): Promise<void> {
  const outgoing = nodeBindings(context)?.outgoing;
  if (outgoing === undefined) return addAfter(context, headers, next);
  // Those passed to `writeHead` later win:
  // https://nodejs.org/api/http.html#responsewriteheadstatuscode-statusmessage-headers
  for (const [name, value] of headers) outgoing.setHeader(name, value);
  return next();
}

async function addAfter(context: Context, headers: HeaderEntries, next: Next): Promise<void> {
  await next();
  const target = context.res.headers;
  for (const [name, value] of headers) if (!target.has(name)) target.set(name, value);
}
