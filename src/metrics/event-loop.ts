import { monitorEventLoopDelay, performance, type EventLoopUtilization } from 'node:perf_hooks';

/** Milliseconds; since the start, or since the last `reset`. */
export interface EventLoopSnapshot {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Share of the time in which the loop was busy, from 0 to 1. */
  readonly utilization: number;
}

/** Samples are taken this far apart, and the histogram's values are too long by that much. */
const RESOLUTION_MS = 20;
const NANOS = 1e6;

/** How long the event loop kept others waiting. */
export class EventLoopProbe {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #since: EventLoopUtilization = performance.eventLoopUtilization();

  start(): void {
    this.#delays.enable();
  }

  stop(): void {
    this.#delays.disable();
  }

  reset(): void {
    this.#delays.reset();
    this.#since = performance.eventLoopUtilization();
  }

  snapshot(): EventLoopSnapshot {
    const delay = (nanos: number) =>
      Number.isFinite(nanos) ? Math.max(0, nanos / NANOS - RESOLUTION_MS) : 0;
    return {
      meanMs: delay(this.#delays.mean),
      p50Ms: delay(this.#delays.percentile(50)),
      p99Ms: delay(this.#delays.percentile(99)),
      maxMs: delay(this.#delays.max),
      utilization: performance.eventLoopUtilization(this.#since).utilization,
    };
  }
}
