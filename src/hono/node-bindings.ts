import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'hono';

/** What `@hono/node-server` gives each request. Absent under `app.request()` and other servers. */
export interface NodeBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

export function nodeBindings(context: Context): NodeBindings | undefined {
  const env = context.env as Partial<NodeBindings> | undefined;
  return env?.incoming === undefined || env.outgoing === undefined ? undefined : (env as NodeBindings);
}
