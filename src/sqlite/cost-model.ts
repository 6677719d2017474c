/** How a statement is treated. */
export type Weight = 'unknown' | 'cheap' | 'medium' | 'heavy';

/** Runs in a worker before a statement may run inline. */
const SAMPLES_NEEDED = 3;
/** The share of the newest run in the moving average. */
const NEWEST_SHARE = 0.2;
/** Most that an inline statement may cost the event loop, on average. */
const CHEAP_MICROS = 100;
/** Above this many rows, building them here costs more than reading them from a worker's encoding. */
const CHEAP_ROWS = 20;
/** From here on a statement may keep a reader for itself. */
const HEAVY_MICROS = 20_000;
/** One inline run above this demotes the statement. */
const SLOW_INLINE_MICROS = 1_000;
const MAX_PENALTY = 4_096;
/**
 * After this many good inline runs in a row the past is forgiven: on a busy machine any run can be slow once.
 */
const GOOD_RUNS_TO_FORGIVE = 256;

/**
 * What recent runs of one statement cost. A slow run inline sends it back to the workers for a number of runs
 * that doubles each time, so that a statement which is slow for some values only cannot stall the event loop
 * often.
 */
export class CostModel {
  #micros = 0;
  #rows = 0;
  #samples = 0;
  #runsUntilInline = SAMPLES_NEEDED;
  #penalty = SAMPLES_NEEDED;
  #goodRuns = 0;

  get weight(): Weight {
    if (this.#samples === 0) return 'unknown';
    if (this.#micros >= HEAVY_MICROS) return 'heavy';
    if (this.#runsUntilInline > 0) return 'medium';
    return this.#micros < CHEAP_MICROS && this.#rows <= CHEAP_ROWS ? 'cheap' : 'medium';
  }

  recordWorker(micros: number, rows: number): void {
    this.#record(micros, rows);
    if (this.#runsUntilInline > 0) this.#runsUntilInline -= 1;
  }

  /** A run that has taken so long and has not ended yet. */
  recordStall(micros: number): void {
    this.#record(Math.max(micros, HEAVY_MICROS / NEWEST_SHARE), 0);
  }

  /** @returns true when the run was slow enough to be sent away. */
  recordInline(micros: number, rows: number): boolean {
    this.#record(micros, rows);
    if (micros <= SLOW_INLINE_MICROS && rows <= CHEAP_ROWS * 4) {
      this.#goodRuns += 1;
      if (this.#goodRuns === GOOD_RUNS_TO_FORGIVE) this.#penalty = SAMPLES_NEEDED;
      return false;
    }
    this.#goodRuns = 0;
    this.#penalty = Math.min(this.#penalty * 2, MAX_PENALTY);
    this.#runsUntilInline = this.#penalty;
    return true;
  }

  #record(micros: number, rows: number): void {
    const share = this.#samples === 0 ? 1 : NEWEST_SHARE;
    this.#samples += 1;
    this.#micros += (micros - this.#micros) * share;
    this.#rows += (rows - this.#rows) * share;
  }
}
