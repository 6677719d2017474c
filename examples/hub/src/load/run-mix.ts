import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient } from './http-client.ts';
import { toLatency } from './latency.ts';
import type { CallsResult, CallsTask, MixResult, MixTask, Target } from './protocol.ts';
import { createRandom } from './random.ts';
import { citiesNear, checkIn, lookUp, search, type Sent } from './requests.ts';

/** Countries by how many cities they have here, so that the first ones of a Zipf draw are the long lists. */
const COUNTRIES = 'US IN CN IT MX FR DE ES RU BR PH GB TR JP PL UA ID AR RO NL AT CH BE CZ PT HU'.split(' ');

interface Draw {
  readonly target: Target;
  readonly country: string;
  readonly random: () => number;
}

/** What users of the whole service do. Lists are the answers with many rows. */
const MIX: readonly {
  readonly upTo: number;
  readonly isList?: boolean;
  readonly plan: (draw: Draw) => Sent;
}[] = [
  { upTo: 0.25, plan: ({ target }) => lookUp(target) },
  { upTo: 0.45, plan: ({ target }) => search(target, () => 0) },
  { upTo: 0.55, plan: ({ target }) => citiesNear(target) },
  { upTo: 0.75, isList: true, plan: ({ country }) => get(`/cities?country=${country}`) },
  { upTo: 0.85, isList: true, plan: () => get('/countries') },
  { upTo: 0.9, plan: () => get('/trending') },
  { upTo: 1, plan: ({ target, random }) => checkIn(target, random) },
];

/** Sends the mix until the time is up. Counts what was begun after the warm-up and answered in time. */
export async function runMix(task: MixTask): Promise<MixResult> {
  const client = new HttpClient({ port: task.port, connections: task.users, encodings: 'br' });
  const startMs = performance.now() + task.warmUpMs;
  const endMs = startMs + task.measuredMs;
  const durations: number[] = [];
  const lists = { count: 0, bytes: 0 };
  const failed: string[] = [];
  let answered = 0;
  const runUser = async (user: number): Promise<void> => {
    const random = createRandom(task.seed * 1000 + user);
    while (performance.now() < endMs) {
      const choice = random();
      const { plan, isList = false } = MIX.find(({ upTo }) => choice < upTo)!;
      const begunMs = performance.now();
      const sent = plan({ target: zipf(task.targets, random), country: zipf(COUNTRIES, random), random });
      const { status, bytes } = await client.send(sent);
      const answeredMs = performance.now();
      if (status >= 300) failed.push(`${sent.method} ${sent.path}: ${status}`);
      if (begunMs >= startMs) durations.push(answeredMs - begunMs);
      if (answeredMs >= startMs && answeredMs < endMs) answered += 1;
      if (isList) {
        lists.count += 1;
        lists.bytes += bytes;
      }
      if (task.pauseMs > 0) await sleep(task.pauseMs);
    }
  };
  try {
    await Promise.all(Array.from({ length: task.users }, (_, user) => runUser(user)));
  } finally {
    client.close();
  }
  return {
    kind: 'mix',
    requestsPerSecond: (answered * 1000) / task.measuredMs,
    latency: toLatency(durations),
    bytesOfList: lists.bytes / Math.max(1, lists.count),
    failures: failed.length,
    firstFailure: failed[0],
  };
}

/** Asks for the same again and again, one after the other. */
export async function runCalls({ port, path, times }: CallsTask): Promise<CallsResult> {
  const client = new HttpClient({ port, connections: 1 });
  const durations: number[] = [];
  try {
    for (let call = 0; call < times; call += 1) {
      const begunMs = performance.now();
      const { status, text } = await client.send(get(path));
      if (status !== 200) throw new Error(`GET ${path} was answered with ${status}: ${text.slice(0, 200)}`);
      durations.push(performance.now() - begunMs);
    }
  } finally {
    client.close();
  }
  return { kind: 'calls', latency: toLatency(durations) };
}

/** The first of them most often: the n-th about one n-th as often (Zipf's law). */
function zipf<Item>(items: readonly Item[], random: () => number): Item {
  // The sum of 1/n up to n grows as its logarithm, so this inverts the distribution closely enough.
  const rank = Math.floor((items.length + 1) ** random());
  return items[Math.min(items.length, rank) - 1]!;
}

function get(path: string): Sent {
  return { method: 'GET', path };
}
