import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'hono';
import type { Measuring } from './measure-requests.ts';
import type { NodeBindings } from './node-bindings.ts';
import { routeOf } from './request-facts.ts';

/** One request in the fast lane. Handlers have it as their `c.env`, in the place of the bindings it holds. */
export class Exchange implements NodeBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly requestId: string;
  readonly startedAtMs: number = performance.now();
  /** Set with the first handler. */
  context: Context | undefined;
  measuring: Measuring | undefined;

  constructor({ incoming, outgoing }: NodeBindings, requestId: string) {
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.requestId = requestId;
  }

  /** Gives the context what middleware would have given it. */
  meet(context: Context): void {
    if (this.context !== undefined) return;
    this.context = context;
    context.set('requestId', this.requestId);
    // Before its statements: what they repeat is told with the route.
    if (this.measuring !== undefined) this.measuring.request.route = routeOf(context);
  }
}
