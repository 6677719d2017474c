import type { Facts } from '../arena/arena.ts';
import type { LoadProcess } from '../load/load-process.ts';
import type { Moment } from '../load/protocol.ts';
import { createPlainApp } from '../plain/plain-app.ts';
import { Background } from '../service/background.ts';
import { listen } from '../plain/http-server.ts';
import type { Store } from '../service/store.ts';
import { watchEventLoop } from './event-loop.ts';
import type { Round } from './figures.ts';

export const USERS = 32;
export const WARM_UP_MS = 400;
const SLOW_REQUESTS = 10;
/** The analyzer's rest between two reports. */
export const ANALYZER_PAUSE_MS = 100;

export interface RoundPlan {
  readonly openStore: () => Promise<Store>;
  readonly client: LoadProcess;
  readonly facts: Facts;
  readonly seed: number;
  readonly measuredMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (moment: Moment) => void;
}

/** Starts the service, measures it, and stops it again. */
export async function runRound(plan: RoundPlan): Promise<Round> {
  const store = await plan.openStore();
  try {
    const server = await listen(createPlainApp(store), 0);
    try {
      return await measure(plan, store, server.port);
    } finally {
      await server.close();
    }
  } finally {
    await store.close();
  }
}

async function measure(plan: RoundPlan, store: Store, port: number): Promise<Round> {
  const { client, facts, seed, measuredMs, signal, onProgress } = plan;
  const { among, targets } = facts;
  // First alone: this one is about slow requests holding up each other, not about the background.
  const burst = await client.burst({ kind: 'burst', port, requests: SLOW_REQUESTS, among, targets }, signal);
  const background = new Background(store, { analyzerPauseMs: ANALYZER_PAUSE_MS });
  await background.start();
  const eventLoop = watchEventLoop();
  try {
    const task = {
      kind: 'load',
      port,
      users: USERS,
      warmUpMs: WARM_UP_MS,
      measuredMs,
      seed,
      targets,
    } as const;
    const load = await client.load(task, signal, onProgress);
    const writesPerCommit = store.writesPerCommit();
    return { load, burst, eventLoop: eventLoop.delay(), background: background.stats(), writesPerCommit };
  } finally {
    eventLoop.stop();
    await background.stop();
  }
}
