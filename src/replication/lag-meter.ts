/** Samples kept. Of a replica that is further behind than they reach, only that is known. */
const MAX_SAMPLES = 600;

interface Sample {
  readonly lsn: bigint;
  readonly atMs: number;
}

/**
 * How far replicas are behind, in time. The replica's own clock and its last replayed commit say nothing when
 * the primary is idle, or when the link is cut; so this keeps where the primary was at which time.
 */
export class LagMeter {
  #samples: Sample[] = [];

  /** The primary's log ended at `lsn` at that time. */
  note(lsn: bigint, atMs: number): void {
    const last = this.#samples.at(-1);
    // While nothing is written, what counts is when that place was reached.
    if (last !== undefined && lsn === last.lsn) return;
    // A new primary may be behind the old one: what the old one had beyond it is gone.
    if (last !== undefined && lsn < last.lsn) this.#samples = [];
    this.#samples.push({ lsn, atMs });
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }

  /**
   * For how long, at least, a replica that has replayed up to `lsn` has been missing something; 0 = not known
   * to miss anything.
   */
  lagMs(lsn: bigint, nowMs: number): number {
    const missed = this.#samples.find((sample) => sample.lsn > lsn);
    return missed === undefined ? 0 : Math.max(0, nowMs - missed.atMs);
  }
}
