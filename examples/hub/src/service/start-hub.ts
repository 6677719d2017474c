import type { CacheStats } from '../millpond/cache.ts';
import { startServer } from '../millpond/hono.ts';
import { openDatabase } from '../millpond/index.ts';
import { MIGRATIONS } from '../schema/queries-module.ts';
import { Background } from './background.ts';
import { createHub, type HubSettings } from './create-hub.ts';

export interface HubOptions extends HubSettings {
  /** The only line that knows which engine it is: `sqlite:…` or `postgres://…`. */
  readonly url: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** The analyzer's rest between two reports. */
  readonly analyzerPauseMs: number;
}

export interface RunningHub extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  cacheStats(): CacheStats;
}

/** Opens the database, brings its schema up to date, and serves it. Disposing closes in order. */
export async function startHub({ url, port, analyzerPauseMs, ...settings }: HubOptions): Promise<RunningHub> {
  await using stack = new AsyncDisposableStack();
  const db = await openDatabase(url, { autoMigrate: true, migrationsFolder: MIGRATIONS, log: 'error' });
  stack.defer(() => db.close());
  const { app, store, cache } = createHub(db, settings);
  stack.use(cache);
  const background = new Background(store, { analyzerPauseMs });
  stack.defer(() => background.stop());
  await background.start();
  // When it is closed: no more requests, then no more work, then no more database. Signals are for whoever started it.
  const closeables = [{ close: () => background.stop() }, cache];
  const server = stack.use(await startServer(app, { port, closeables, shutdown: false }));
  const running = stack.move();
  return {
    url: server.url,
    port: server.port,
    cacheStats: () => cache.stats(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
