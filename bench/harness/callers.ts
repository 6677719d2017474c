import { Latencies } from './latencies.ts';
import { Meter, type Metrics } from './meter.ts';
import { Random } from './random.ts';

/** One call; a synchronous driver returns the value itself, and the caller awaits that. */
export type Call<Answer = unknown> = (random: Random) => Answer | PromiseLike<Answer>;

export interface CallersOptions<Answer> {
  readonly callers: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly call: Call<Answer>;
  /** What the caller does with its answer before the next call: looks at it, at least. */
  readonly take?: (answer: Answer) => void;
}

/**
 * Runs `callers` loops, each making its next call when the one before was answered, first to warm up, then measured.
 * @returns calls per second and latencies, beside everything the meter knows.
 */
export async function measureCallers<Answer>(options: CallersOptions<Answer>): Promise<Metrics> {
  await runCallers(options, { forMs: options.warmUpMs, seed: 1 });
  const meter = new Meter();
  await meter.start();
  const latencies = await runCallers(options, { forMs: options.measureMs, seed: 2 });
  const metrics = await meter.stop();
  const calls = latencies.count;
  return {
    ...metrics,
    calls,
    perSecond: (calls / metrics.elapsedMs) * 1_000,
    p50Ms: latencies.quantileMs(0.5),
    p99Ms: latencies.quantileMs(0.99),
    maxMs: latencies.maxMs,
    mainCpuUsPerCall: (metrics.mainCpuMs * 1_000) / calls,
    allCpuUsPerCall: (metrics.allCpuMs * 1_000) / calls,
  };
}

async function runCallers<Answer>(
  options: CallersOptions<Answer>,
  phase: { forMs: number; seed: number },
): Promise<Latencies> {
  const latencies = new Latencies();
  const until = performance.now() + phase.forMs;
  const loops = Array.from({ length: options.callers }, (_, index) =>
    runCaller(options, new Random(phase.seed * 100_003 + index), { until, latencies }),
  );
  await Promise.all(loops);
  return latencies;
}

async function runCaller<Answer>(
  { call, take }: CallersOptions<Answer>,
  random: Random,
  { until, latencies }: { until: number; latencies: Latencies },
): Promise<void> {
  let before = performance.now();
  while (before < until) {
    const answer = await call(random);
    take?.(answer);
    const now = performance.now();
    latencies.record(now - before);
    before = now;
  }
}
