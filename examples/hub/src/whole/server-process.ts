/** One of the two whole services, in a process of its own: its memory is nobody else's. */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Background } from '../service/background.ts';
import { startHub } from '../service/start-hub.ts';
import { BeforePostgresStore } from '../plain/before-postgres-store.ts';
import { BeforeStore } from '../plain/before-store.ts';
import { listen } from '../plain/http-server.ts';
import { createPlainApp } from '../plain/plain-app.ts';
import type { Order, Said } from './server-protocol.ts';

/** The analyzer does its first report, then rests: this is about requests. Jobs run in both. */
const analyzerPauseMs = 3_600_000;
/** The limit is at work in the full service, and too high to be met. */
const requestsPerMinute = 1_000_000;
const SAMPLES = 5;

interface Served {
  readonly port: number;
  hitRate(): number;
  close(): Promise<void>;
}

let served: Served | undefined;
process.on('SIGINT', () => undefined);
process.on('disconnect', () => void served?.close());
process.on('message', (order: Order) => void obey(order));

async function obey(order: Order): Promise<void> {
  try {
    if (order.kind === 'start') {
      served = await (order.service === 'naive' ? startNaive(order.url) : startFull(order.url));
      tell({ kind: 'started', port: served.port });
    } else {
      tell({ kind: 'state', memoryBytes: await memory(), hitRate: served?.hitRate() ?? 0 });
    }
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

/** One connection, and nothing around the routes. */
async function startNaive(url: string): Promise<Served> {
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined;
  const store = path === undefined ? new BeforePostgresStore(url) : new BeforeStore(path);
  const background = new Background(store, { analyzerPauseMs });
  await background.start();
  const server = await listen(createPlainApp(store), 0);
  const close = async (): Promise<void> => {
    await server.close();
    await background.stop();
    await store.close();
  };
  return { port: server.port, hitRate: () => 0, close };
}

async function startFull(url: string): Promise<Served> {
  const hub = await startHub({
    url,
    port: 0,
    analyzerPauseMs,
    requestsPerMinute,
    origins: ['http://localhost:5173'],
    tokenSecret: 'nobody signs in while it is measured',
    monitorToken: 'nobody looks while it is measured',
  });
  return {
    port: hub.port,
    hitRate: () => hub.cacheStats().hitRate,
    close: async () => hub[Symbol.asyncDispose](),
  };
}

/** The median of a few looks. */
async function memory(): Promise<number> {
  const looks: number[] = [];
  for (let look = 0; look < SAMPLES; look += 1) {
    looks.push(process.memoryUsage.rss());
    await sleep(50);
  }
  return looks.toSorted((a, b) => a - b)[Math.floor(SAMPLES / 2)]!;
}

function tell(said: Said): void {
  process.send?.(said, undefined, undefined, (error) => {
    if (error !== null) process.exit(1);
  });
}
