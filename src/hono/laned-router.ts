import type { Handler, MiddlewareHandler } from 'hono';
import type { Result, Router } from 'hono/router';
import { RegExpRouter } from 'hono/router/reg-exp-router';
import { SmartRouter } from 'hono/router/smart-router';
import { TrieRouter } from 'hono/router/trie-router';
import type { RouterRoute } from 'hono/types';
import { Exchange } from './exchange.ts';

type Entry = [Handler | MiddlewareHandler, RouterRoute];

/**
 * Knows the routes twice: with all middleware, and without that of the fast lane, which has done its work
 * before Hono is asked. A route that has no other is then alone, and its handler is called without a promise.
 */
export class LanedRouter implements Router<Entry> {
  readonly name = 'LanedRouter';
  readonly #whole = honoRouter();
  readonly #fast = honoRouter();
  readonly #spared: ReadonlySet<unknown>;
  /** Whether the next request is in the fast lane: set right before it is dispatched. */
  isNextFast = false;

  /** @param spared what the fast lane does itself */
  constructor(spared: ReadonlySet<unknown>) {
    this.#spared = spared;
  }

  add(method: string, path: string, [handler, route]: Entry): void {
    this.#whole.add(method, path, [handler, route]);
    if (!this.#spared.has(handler)) this.#fast.add(method, path, [meeting(handler), route]);
  }

  match(method: string, path: string): Result<Entry> {
    const isFast = this.isNextFast;
    // For one request alone: its handler may ask the application again.
    this.isNextFast = false;
    return (isFast ? this.#fast : this.#whole).match(method, path);
  }
}

function honoRouter(): Router<Entry> {
  return new SmartRouter({ routers: [new RegExpRouter(), new TrieRouter()] });
}

function meeting(handler: Entry[0]): Entry[0] {
  return (context, next): ReturnType<MiddlewareHandler> => {
    const env: unknown = context.env;
    if (env instanceof Exchange) env.meet(context);
    return handler(context, next) as ReturnType<MiddlewareHandler>;
  };
}
