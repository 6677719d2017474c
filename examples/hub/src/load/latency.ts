import type { Latency } from './protocol.ts';

/** Sums up durations given in milliseconds, in any order. */
export function toLatency(durations: readonly number[]): Latency {
  const sorted = Float64Array.from(durations).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
