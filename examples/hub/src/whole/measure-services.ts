import type { Arena } from '../arena/arena.ts';
import type { LoadProcess } from '../load/load-process.ts';
import type { Latency } from '../load/protocol.ts';
import { toText } from '../report/numbers.ts';
import { startProgress } from '../report/progress.ts';
import { ServiceProcess } from './service-process.ts';

const USERS = 32;
const WARM_UP_MS = 1000;
/** The load under which memory is compared: requests a second that both can answer. */
const CALM = { users: 8, pauseMs: 200, measuredMs: 1500 } as const;
/** Cities of the slow call, against those of the one of 100 ms: later ones have fewer neighbours. */
const SLOWER = 7;
const CACHED_CALLS = 300;

/** What was seen of one whole service. */
export interface ServiceFigures {
  readonly requestsPerSecond: number;
  readonly latency: Latency;
  /** Of an answer with many rows, as it is sent, on average. */
  readonly bytesOfList: number;
  /** A call of about a second, asked for again. */
  readonly slowCallMs: number;
  readonly hitRate: number;
  readonly memoryBytes: number;
  readonly failures: number;
  readonly firstFailure: string | undefined;
}

export interface ServicesPlan {
  readonly arena: Arena;
  readonly client: LoadProcess;
  readonly measuredMs: number;
  readonly signal: AbortSignal;
}

/** Measures the naive service, then the full one: each in a process of its own, with the same requests. */
export async function measureServices(plan: ServicesPlan): Promise<{
  readonly naive: ServiceFigures;
  readonly full: ServiceFigures;
}> {
  const [before, after] = plan.arena.versions;
  const naive = await measureService('naive', before.url, plan);
  return { naive, full: await measureService('full', after.url, plan) };
}

async function measureService(
  service: 'naive' | 'full',
  url: string,
  { arena: { facts }, client, measuredMs, signal }: ServicesPlan,
): Promise<ServiceFigures> {
  const title = `whole service, ${service.padEnd(5)}`;
  const progress = startProgress(title, 4);
  await using server = new ServiceProcess();
  try {
    progress.update(0, 'starts');
    const port = await server.start(service, url);
    const base = { kind: 'mix', port, seed: 7, targets: facts.targets } as const;
    progress.update(1, 'a calm load');
    await client.mix({ ...base, ...CALM, warmUpMs: 0 }, signal);
    const { memoryBytes } = await server.state();
    progress.update(2, `${USERS} users`);
    const mix = await client.mix(
      { ...base, users: USERS, pauseMs: 0, warmUpMs: WARM_UP_MS, measuredMs },
      signal,
    );
    const { hitRate } = await server.state();
    progress.update(3, 'a slow call');
    const path = `/crowded?among=${Math.min(facts.cities, facts.among * SLOWER)}`;
    const first = await client.calls({ kind: 'calls', port, path, times: 1 }, signal);
    const times = service === 'naive' ? 1 : CACHED_CALLS;
    const again = await client.calls({ kind: 'calls', port, path, times }, signal);
    progress.finish(
      `${title}  ${toText(mix.requestsPerSecond)} requests/s, p95 ${toText(mix.latency.p95)} ms`,
    );
    const { requestsPerSecond, latency, bytesOfList, failures, firstFailure } = mix;
    const slowCallMs = service === 'naive' ? first.latency.p50 : again.latency.p50;
    return {
      requestsPerSecond,
      latency,
      bytesOfList,
      slowCallMs,
      hitRate,
      memoryBytes,
      failures,
      firstFailure,
    };
  } finally {
    progress.clear();
  }
}
