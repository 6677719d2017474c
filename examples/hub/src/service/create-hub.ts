import type { Hono } from 'hono';
import { createCache, type Cache } from '../millpond/cache.ts';
import { createServer } from '../millpond/hono.ts';
import type { Database } from '../millpond/index.ts';
import { createMonitor, Metrics } from '../millpond/monitor.ts';
import { createQueries } from '../queries.ts';
import { AfterStore } from './after-store.ts';
import { cityRoutes } from './city-routes.ts';
import { noteRoutes } from './note-routes.ts';
import { createTokens } from './tokens.ts';
import { userRoutes } from './user-routes.ts';

export interface HubSettings {
  /** Signs tokens: 32 bytes at least. */
  readonly tokenSecret: string;
  /** The password of the monitor's page: 16 characters at least. */
  readonly monitorToken: string;
  /** Pages of these origins may read the answers. */
  readonly origins: readonly string[];
  readonly requestsPerMinute: number;
}

export interface Hub {
  readonly app: Hono;
  readonly store: AfterStore;
  readonly cache: Cache;
}

/** The service on an open database: its routes, and everything around them. */
export function createHub(db: Database, settings: HubSettings): Hub {
  const cache = createCache(db);
  const metrics = new Metrics();
  const app = createServer({
    databases: [db],
    hosts: ['127.0.0.1', 'localhost'],
    cors: { origins: settings.origins },
    rateLimit: { limit: settings.requestsPerMinute, windowMs: 60_000 },
    maxBodyBytes: 4096,
    metrics,
    monitor: createMonitor({ databases: [db], caches: [cache], metrics, token: settings.monitorToken }),
    log: 'error',
  });
  const store = new AfterStore(db);
  const queries = createQueries(db);
  const tokens = createTokens(settings.tokenSecret);
  app.route('/', cityRoutes(store, cache));
  app.route('/', noteRoutes(queries, tokens));
  app.route('/', userRoutes(queries, tokens));
  return { app, store, cache };
}
