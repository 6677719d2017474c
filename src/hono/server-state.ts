import type { Hono } from 'hono';
import type { Logger } from '../config/index.ts';
import type { Database } from '../database/index.ts';

/** What `startServer` needs of what `createServer` made. */
export interface ServerState {
  /** Aborted when the service begins to stop. */
  readonly stopping: AbortController;
  readonly databases: readonly Database[];
  readonly log: Logger;
}

const states = new WeakMap<Hono, ServerState>();

export function prepareServer(app: Hono, databases: readonly Database[], log: Logger): ServerState {
  const state: ServerState = { stopping: new AbortController(), databases, log };
  states.set(app, state);
  return state;
}

/** Undefined for an application that was made otherwise. */
export function serverState(app: Hono): ServerState | undefined {
  return states.get(app);
}
