import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient } from './http-client.ts';
import { toLatency } from './latency.ts';
import type { BurstResult, BurstTask } from './protocol.ts';
import { createRandom } from './random.ts';
import { lookUp } from './requests.ts';

const LOOK_UP_EVERY_MS = 5;
const WARM_UP_LOOK_UPS = 20;

/** Sends the slow requests all at once and looks cities up until the last of them is answered. */
export async function runBurst(task: BurstTask): Promise<BurstResult> {
  const client = new HttpClient({ port: task.port, connections: task.requests + 1 });
  try {
    await warmUp(client, task);
    const watch = new AbortController();
    const begunMs = performance.now();
    const slow = Array.from({ length: task.requests }, () => ask(client, `/crowded?among=${task.among}`));
    const lookUps = watchLookUps(client, task, watch.signal);
    await Promise.all(slow).finally(() => watch.abort());
    const totalMs = performance.now() - begunMs;
    return { kind: 'burst', totalMs, lookUps: toLatency(await lookUps) };
  } finally {
    client.close();
  }
}

/** A service that has been running for a while knows its everyday statements. */
async function warmUp(client: HttpClient, { targets }: BurstTask): Promise<void> {
  for (const target of targets.slice(0, WARM_UP_LOOK_UPS)) await ask(client, lookUp(target).path);
}

async function watchLookUps(client: HttpClient, task: BurstTask, signal: AbortSignal): Promise<number[]> {
  const durations: number[] = [];
  const random = createRandom(task.among);
  while (!signal.aborted) {
    const target = task.targets[Math.floor(random() * task.targets.length)];
    if (target === undefined) break;
    const begunMs = performance.now();
    await ask(client, lookUp(target).path);
    durations.push(performance.now() - begunMs);
    await sleep(LOOK_UP_EVERY_MS);
  }
  return durations;
}

async function ask(client: HttpClient, path: string): Promise<void> {
  const { status, text } = await client.send({ method: 'GET', path });
  if (status !== 200) throw new Error(`GET ${path} was answered with ${status}: ${text.slice(0, 200)}`);
}
