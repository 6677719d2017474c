import { setTimeout as sleep } from 'node:timers/promises';
import { Latencies } from './latencies.ts';
import type { Call } from './callers.ts';
import { Random } from './random.ts';

export interface OpenLoopOptions {
  readonly perSecond: number;
  readonly forMs: number;
  readonly call: Call;
}

/**
 * Makes calls at a fixed rate, whatever happens to those before, and counts each one's latency from the moment it was
 * due. A closed loop would stop asking while the event loop is blocked, and so hide the stall it should show.
 */
export async function runOpenLoop({ perSecond, forMs, call }: OpenLoopOptions): Promise<Latencies> {
  const latencies = new Latencies();
  const random = new Random(7);
  const started = performance.now();
  const everyMs = 1_000 / perSecond;
  const total = Math.floor(forMs / everyMs);
  const answers: Promise<void>[] = [];
  const launch = async (due: number): Promise<void> => {
    await call(random);
    latencies.record(performance.now() - due);
  };
  while (answers.length < total) {
    const now = performance.now();
    while (answers.length < total && started + answers.length * everyMs <= now) {
      answers.push(launch(started + answers.length * everyMs));
    }
    await sleep(1);
  }
  await Promise.all(answers);
  return latencies;
}
