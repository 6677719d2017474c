import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 1;

/** How late timers came, in milliseconds: what every request, timer and socket of the process felt. */
export interface EventLoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Watches this process's event loop until `stop`. */
export function watchEventLoop(): { delay(): EventLoopDelay; stop(): void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  // The histogram holds the time between two timers, the asked-for interval included.
  const toDelay = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return {
    delay: () => ({
      p50: toDelay(histogram.percentile(50)),
      p99: toDelay(histogram.percentile(99)),
      max: toDelay(histogram.max),
    }),
    stop: () => void histogram.disable(),
  };
}
