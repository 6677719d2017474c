const BUCKETS_PER_OCTAVE = 64;
const SMALLEST_US = 0.1;
const OCTAVES = 31;

/**
 * Latencies in logarithmic buckets about 1 % wide, from 0.1 µs to 200 s: constant memory and a few nanoseconds per
 * record, however many calls there are.
 */
export class Latencies {
  readonly #buckets = new Uint32Array(OCTAVES * BUCKETS_PER_OCTAVE);
  #count = 0;
  #maxMs = 0;

  record(ms: number): void {
    const bucket = Math.log2((ms * 1_000) / SMALLEST_US) * BUCKETS_PER_OCTAVE;
    const index = bucket > 0 ? Math.min(Math.floor(bucket), this.#buckets.length - 1) : 0;
    this.#buckets[index] = this.#buckets[index]! + 1;
    this.#count++;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  get count(): number {
    return this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** The latency that `share` (0 … 1) of the calls did not exceed, by the upper edge of its bucket. */
  quantileMs(share: number): number {
    let left = Math.ceil(this.#count * share);
    for (let index = 0; index < this.#buckets.length; index++) {
      left -= this.#buckets[index]!;
      if (left <= 0)
        return Math.min((SMALLEST_US * 2 ** ((index + 1) / BUCKETS_PER_OCTAVE)) / 1_000, this.#maxMs);
    }
    return this.#maxMs;
  }
}
