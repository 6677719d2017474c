import type { LatencySummary } from './latency-histogram.ts';
import type { Lease, Slot } from './lease.ts';

/** The state of a pool at one moment. `size = leased + idle = created - retired`. */
export interface PoolStats {
  /** Connections that are open. */
  readonly size: number;
  readonly idle: number;
  /** In use, or being checked before or after use. */
  readonly leased: number;
  /** Callers in line. */
  readonly waiting: number;
  /** Being opened; they count against `max + maxOverflow`, not in `size`. */
  readonly connecting: number;
  readonly max: number;
  /** How many connections above `max` are open. */
  readonly overflow: number;
  /** Since the pool was made, like the three below. */
  readonly created: number;
  readonly retired: number;
  /** Acquires that ended with ConnectionPoolExhaustedError because their time was over. */
  readonly timeouts: number;
  /** How long those who got a lease had waited. */
  readonly acquireMs: LatencySummary;
}

/** A lease that is out. */
export interface LeaseInfo {
  readonly holder: string;
  readonly heldMs: number;
  /** The taker's stack; empty when it was not captured. */
  readonly takenAt: string;
  readonly generation: number;
}

/** Every lease that is out, the longest first. */
export function liveLeases<Resource>(slots: Iterable<Slot<Resource>>, nowMs: number): LeaseInfo[] {
  const leases: Lease<Resource>[] = [];
  for (const { lease } of slots) if (lease !== undefined) leases.push(lease);
  leases.sort((a, b) => a.acquiredAtMs - b.acquiredAtMs);
  return leases.map((lease) => toInfo(lease, nowMs));
}

/** Only the first of them: turning every stack into text is too much where many callers fail together. */
export function longestLease<Resource>(
  slots: Iterable<Slot<Resource>>,
  nowMs: number,
): LeaseInfo | undefined {
  let longest: Lease<Resource> | undefined;
  for (const { lease } of slots) {
    if (lease !== undefined && !(longest && longest.acquiredAtMs <= lease.acquiredAtMs)) longest = lease;
  }
  return longest && toInfo(longest, nowMs);
}

function toInfo<Resource>(lease: Lease<Resource>, nowMs: number): LeaseInfo {
  const { holder, takenAt, generation, acquiredAtMs } = lease;
  return { holder, heldMs: nowMs - acquiredAtMs, takenAt, generation };
}
