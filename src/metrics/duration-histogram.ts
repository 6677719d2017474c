/** Milliseconds. Percentiles are upper edges of buckets, at most 12.5 % too high; the rest is exact. */
export interface DurationSummary {
  readonly count: number;
  readonly totalMs: number;
  readonly averageMs: number;
  readonly minMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * Steps of one decade, as engineers round (Renard's R20). They contain 1, 2.5 and 5, so that what is exported
 * with such limits is counted exactly and not estimated.
 */
const STEPS = [
  1, 1.12, 1.25, 1.4, 1.6, 1.8, 2, 2.24, 2.5, 2.8, 3.15, 3.55, 4, 4.5, 5, 5.6, 6.3, 7.1, 8, 9,
] as const;
/** From 1 µs to 1,000 s; what is longer falls into one last bucket. */
const DECADES_MS = [0.001, 0.01, 0.1, 1, 10, 100, 1_000, 10_000, 100_000] as const;
const EDGES_MS: readonly number[] = DECADES_MS.flatMap((decade) =>
  // Multiplied and cut, because 2.24 × 0.1 has more digits than it should.
  STEPS.map((step) => Number((step * decade).toPrecision(3))),
);
const BUCKETS = EDGES_MS.length + 1;

/** Counts durations in buckets of growing width: bounded memory whatever is recorded. */
export class DurationHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #totalMs = 0;
  #minMs = Infinity;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get totalMs(): number {
    return this.#totalMs;
  }

  record(durationMs: number): void {
    this.#count += 1;
    this.#totalMs += durationMs;
    if (durationMs < this.#minMs) this.#minMs = durationMs;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
    this.#counts[bucketOf(durationMs)]! += 1;
  }

  summary(): DurationSummary {
    const percentile = (share: number) =>
      Math.min(this.#maxMs, percentileOf(this.#counts, this.#count, share));
    return {
      count: this.#count,
      totalMs: this.#totalMs,
      averageMs: this.#count === 0 ? 0 : this.#totalMs / this.#count,
      minMs: this.#count === 0 ? 0 : this.#minMs,
      p50Ms: percentile(0.5),
      p95Ms: percentile(0.95),
      p99Ms: percentile(0.99),
      maxMs: this.#maxMs,
    };
  }

  /** How many lasted at most as long as each limit. Exact where the limit is 1, 2.5 or 5 of a decade. */
  countsWithin(limitsMs: readonly number[]): number[] {
    let bucket = 0;
    let count = 0;
    return limitsMs.map((limitMs) => {
      for (; bucket < EDGES_MS.length && EDGES_MS[bucket]! <= limitMs; bucket += 1)
        count += this.#counts[bucket]!;
      return count;
    });
  }

  /** A mark to measure the time since: see {@link DurationHistogram.since}. */
  mark(): HistogramMark {
    return { counts: this.#counts.slice(), count: this.#count };
  }

  /** Percentiles of what was recorded after the mark. A mark from before a reset counts as none. */
  since(mark: HistogramMark): Pick<DurationSummary, 'count' | 'p50Ms' | 'p95Ms' | 'p99Ms'> {
    const isOlder = mark.count > this.#count;
    const counts = isOlder ? this.#counts : this.#counts.map((count, index) => count - mark.counts[index]!);
    const count = isOlder ? this.#count : this.#count - mark.count;
    const percentile = (share: number) => Math.min(this.#maxMs, percentileOf(counts, count, share));
    return { count, p50Ms: percentile(0.5), p95Ms: percentile(0.95), p99Ms: percentile(0.99) };
  }
}

/** The state of a histogram at one moment. */
export interface HistogramMark {
  readonly counts: Float64Array;
  readonly count: number;
}

/** The first bucket whose edge is not below the duration. */
function bucketOf(durationMs: number): number {
  let low = 0;
  let high = BUCKETS - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (EDGES_MS[middle]! < durationMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function percentileOf(counts: Float64Array, total: number, share: number): number {
  let left = Math.ceil(total * share);
  if (left === 0) return 0;
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    left -= counts[bucket]!;
    if (left <= 0) return EDGES_MS[bucket] ?? Infinity;
  }
  return Infinity;
}
