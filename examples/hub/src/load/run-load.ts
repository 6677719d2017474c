import { HttpClient, type Answer } from './http-client.ts';
import { toLatency } from './latency.ts';
import { ENDPOINTS, type Endpoint, type LoadResult, type LoadTask, type Moment } from './protocol.ts';
import { createRandom } from './random.ts';
import { planRequest, type PlannedRequest } from './requests.ts';

const BUCKET_MS = 100;

/**
 * Sends requests until the time is up, then waits for the answers that are still out. Latencies are of all
 * requests begun in the measured time, so a stall at its end is not forgotten; rates count answers within it.
 */
export async function runLoad(task: LoadTask, onProgress: (moment: Moment) => void): Promise<LoadResult> {
  const client = new HttpClient({ port: task.port, connections: task.users });
  const begunMs = performance.now();
  const tally = new Tally(begunMs + task.warmUpMs, task.measuredMs);
  const progress = setInterval(() => {
    onProgress({ kind: 'progress', elapsedMs: performance.now() - begunMs, answered: tally.answered });
  }, 100);
  try {
    await Promise.all(
      Array.from({ length: task.users }, (_, user) => runUser(task, user, { client, tally })),
    );
    return tally.result();
  } finally {
    clearInterval(progress);
    client.close();
  }
}

async function runUser(
  task: LoadTask,
  user: number,
  on: { client: HttpClient; tally: Tally },
): Promise<void> {
  const random = createRandom(task.seed * 1000 + user);
  while (performance.now() < on.tally.endMs) {
    const planned = planRequest(task.targets, random);
    const begunMs = performance.now();
    try {
      on.tally.add(planned, begunMs, await on.client.send(planned));
    } catch (error) {
      on.tally.fail(`${planned.endpoint}: ${error instanceof Error ? error.message : String(error)}`);
      // A server that refuses at once must not turn this into a busy loop.
      await new Promise((resolve) => setTimeout(resolve, BUCKET_MS));
    }
  }
}

/** Keeps count of one run. */
class Tally {
  readonly endMs: number;
  answered = 0;
  readonly #startMs: number;
  readonly #durations: Record<Endpoint, number[]>;
  readonly #timeline: number[];
  readonly #acknowledged: number[] = [];
  #checkIns = 0;
  #failures = 0;
  #firstFailure: string | undefined;

  constructor(startMs: number, measuredMs: number) {
    this.#startMs = startMs;
    this.endMs = startMs + measuredMs;
    this.#timeline = Array.from({ length: Math.ceil(measuredMs / BUCKET_MS) }, () => 0);
    this.#durations = Object.fromEntries(ENDPOINTS.map((name) => [name, [] as number[]])) as Record<
      Endpoint,
      number[]
    >;
  }

  add({ endpoint }: PlannedRequest, begunMs: number, { status, text }: Answer): void {
    const nowMs = performance.now();
    if (status >= 400) return this.fail(`${endpoint}: ${status} ${text.slice(0, 200)}`);
    if (status === 201) this.#acknowledged.push((JSON.parse(text) as { id: number }).id);
    if (begunMs >= this.#startMs) this.#durations[endpoint].push(nowMs - begunMs);
    if (nowMs < this.#startMs || nowMs >= this.endMs) return;
    this.answered += 1;
    if (status === 201) this.#checkIns += 1;
    const bucket = Math.floor((nowMs - this.#startMs) / BUCKET_MS);
    this.#timeline[bucket] = (this.#timeline[bucket] ?? 0) + 1;
  }

  fail(message: string): void {
    this.#failures += 1;
    this.#firstFailure ??= message;
  }

  result(): LoadResult {
    const seconds = (this.endMs - this.#startMs) / 1000;
    const latencies = ENDPOINTS.map((name) => [name, toLatency(this.#durations[name])] as const);
    return {
      kind: 'load',
      requestsPerSecond: this.answered / seconds,
      checkInsPerSecond: this.#checkIns / seconds,
      latency: {
        ...(Object.fromEntries(latencies) as LoadResult['latency']),
        all: toLatency(ENDPOINTS.flatMap((name) => this.#durations[name])),
      },
      timeline: this.#timeline,
      acknowledged: this.#acknowledged,
      failures: this.#failures,
      firstFailure: this.#firstFailure,
    };
  }
}
