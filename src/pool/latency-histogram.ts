/**
 * Milliseconds. Each percentile is the upper edge of its bucket, at most 19 % above the true value; `max` is
 * exact.
 */
export interface LatencySummary {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** The first bucket ends here; waits below count as this, which is below what a clock can tell. */
const SMALLEST_MS = 0.001;
const BUCKETS_PER_DOUBLING = 4;
/** 1 µs doubled 30 times is 18 minutes; whatever is longer falls into the last bucket. */
const BUCKETS = 30 * BUCKETS_PER_DOUBLING + 1;

/** Counts durations in buckets that grow by a constant factor: bounded memory whatever is recorded. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #maxMs = 0;

  record(durationMs: number): void {
    this.#total += 1;
    this.#counts[bucketOf(durationMs)]! += 1;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
  }

  summary(): LatencySummary {
    return {
      p50: this.#percentile(0.5),
      p95: this.#percentile(0.95),
      p99: this.#percentile(0.99),
      max: this.#maxMs,
    };
  }

  #percentile(share: number): number {
    let left = Math.ceil(this.#total * share);
    for (let bucket = 0; left > 0 && bucket < BUCKETS; bucket += 1) {
      left -= this.#counts[bucket]!;
      if (left <= 0) return bucket === 0 ? 0 : Math.min(upperEdgeMs(bucket), this.#maxMs);
    }
    return 0;
  }
}

function bucketOf(durationMs: number): number {
  if (durationMs <= SMALLEST_MS) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log2(durationMs / SMALLEST_MS) * BUCKETS_PER_DOUBLING));
}

function upperEdgeMs(bucket: number): number {
  // The last bucket has no upper edge: the exact maximum stands in for it.
  return bucket === BUCKETS - 1 ? Infinity : SMALLEST_MS * 2 ** (bucket / BUCKETS_PER_DOUBLING);
}
