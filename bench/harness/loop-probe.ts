import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoopDelay {
  /** 99 % of the events that arrive at a random moment wait at most this long for the event loop. */
  readonly p99Ms: number;
  /** The longest time in which the event loop did not turn. */
  readonly maxMs: number;
  /** What `monitorEventLoopDelay` says, less its resolution: per timer tick, not per moment. */
  readonly nodeP99Ms: number;
}

const TICK_MS = 1;
const NS_PER_MS = 1e6;

/**
 * How long the event loop was held up, seen by a timer of 1 ms. Percentiles over ticks alone would be too kind: a
 * stall of one second is a single tick, but it is a second's worth of requests that waited.
 */
export class LoopProbe {
  readonly #gapsMs: number[] = [];
  #histogram: ReturnType<typeof monitorEventLoopDelay> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastTick = 0;

  async start(): Promise<void> {
    this.#histogram = monitorEventLoopDelay({ resolution: TICK_MS });
    this.#histogram.enable();
    // The histogram measures between two of its ticks: the first must have happened before the work starts.
    await sleep(5 * TICK_MS);
    this.#lastTick = performance.now();
    this.#arm();
  }

  async stop(): Promise<LoopDelay> {
    // A loop that never turned has no tick to tell of it: the gap that is open now counts as well.
    this.#gapsMs.push(performance.now() - this.#lastTick);
    clearTimeout(this.#timer);
    await sleep(5 * TICK_MS);
    this.#histogram!.disable();
    const nodeP99Ms = Math.max(this.#histogram!.percentile(99) / NS_PER_MS - TICK_MS, 0);
    return { ...delayOfGaps(this.#gapsMs), nodeP99Ms };
  }

  #arm(): void {
    this.#timer = setTimeout(() => {
      const now = performance.now();
      this.#gapsMs.push(now - this.#lastTick);
      this.#lastTick = now;
      this.#arm();
    }, TICK_MS);
  }
}

/** Delay seen by events that arrive evenly over the whole time, given the gaps between ticks due every `TICK_MS`. */
export function delayOfGaps(gapsMs: readonly number[]): { p99Ms: number; maxMs: number } {
  const heldMs = gapsMs.map((gap) => Math.max(gap - TICK_MS, 0));
  const totalMs = gapsMs.reduce((sum, gap) => sum + gap, 0);
  const maxMs = Math.max(0, ...chunkMaxima(heldMs));
  let low = 0;
  let high = maxMs;
  // The share of moments that wait longer than x falls as x grows: halve until the 1 % point is found.
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    const waitingLonger = heldMs.reduce((sum, held) => sum + Math.max(held - middle, 0), 0);
    if (waitingLonger > totalMs * 0.01) low = middle;
    else high = middle;
  }
  return { p99Ms: high, maxMs };
}

/** Arguments of Math.max live on the stack: too many gaps at once would overflow it. */
function chunkMaxima(values: readonly number[]): number[] {
  const maxima: number[] = [];
  for (let start = 0; start < values.length; start += 10_000) {
    maxima.push(Math.max(...values.slice(start, start + 10_000)));
  }
  return maxima;
}
