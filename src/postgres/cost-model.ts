/** How a statement is treated. */
export type Weight = 'unknown' | 'cheap' | 'heavy';

/** Runs on a connection of its own before a statement may share one. */
const SAMPLES_NEEDED = 2;
/** The share of the newest run in the moving average. */
const NEWEST_SHARE = 0.25;
/** Beyond the round trip, a statement that shares a connection may take this much at most … */
const CHEAP_MICROS = 2_000;
/** … and one that is committed together with others: most of that is the disk's. */
const CHEAP_WRITE_MICROS = 20_000;
/**
 * … or this share of a long round trip, which is never the same twice, and beside which such a wait does not
 * show.
 */
const SHARE_OF_WAY = 0.25;
/** More rows than that would keep the ones behind them waiting for the network. */
const CHEAP_ROWS = 200;
/** From here on it must have a connection of its own. */
const HEAVY_MICROS = 10_000;
const FIRST_PENALTY = 8;
const MAX_PENALTY = 1_024;
/**
 * After this many runs in a row that held up nobody the past is forgiven: on a busy machine any run can be
 * slow once.
 */
const RUNS_TO_FORGIVE = 256;

/** An answer of the server, to one call or to several that were sent as one. */
export interface TimedAnswer {
  readonly sentAt: number;
  /** When the answer before it came, on the same connection. */
  readonly answeredAt: number;
  readonly now: number;
  readonly calls: number;
}

/** What a call was. */
export interface WorkDone {
  readonly rows: number;
  /** For how long the server worked on it. */
  readonly ranMs: number;
}

/** The least that any statement takes, there and back; it forgets slowly, since a route can become longer. */
export class WayThere {
  micros: number = Infinity;

  /** The same in ms; 0 where nothing is known. */
  get ms(): number {
    return this.micros === Infinity ? 0 : this.micros / 1_000;
  }

  /** @returns for how long the server worked on each of the calls, in ms */
  workedMs({ sentAt, answeredAt, now, calls }: TimedAnswer): number {
    // If it was sent while the server was busy with what was before it, it travelled in the meantime.
    if (answeredAt > sentAt) return (now - answeredAt) / calls;
    this.#note((now - sentAt) * 1_000);
    return (now - sentAt - this.ms) / calls;
  }

  #note(micros: number): void {
    this.micros = Math.min(micros, this.micros * 1.001);
  }
}

/**
 * What recent runs of one statement cost, the round trip included, since that is known better afterwards. A
 * slow run on a shared connection sends it away for a number of runs that doubles each time.
 */
export class CostModel {
  #micros = 0;
  #rows = 0;
  #samples = 0;
  #runsApart = 0;
  #penalty = FIRST_PENALTY;
  #goodRuns = 0;

  /** Beyond the round trip, in µs. */
  beyond(wayMicros: number): number {
    return Math.max(0, this.#micros - wayMicros);
  }

  /** @param wayMicros what a statement that costs nothing takes, there and back */
  weigh(wayMicros: number, kind: 'read' | 'write'): Weight {
    if (this.#samples < SAMPLES_NEEDED) return 'unknown';
    if (this.#runsApart > 0) return 'heavy';
    const limit = (kind === 'read' ? CHEAP_MICROS : CHEAP_WRITE_MICROS) + wayMicros * SHARE_OF_WAY;
    return this.#micros - wayMicros < limit && this.#rows <= CHEAP_ROWS ? 'cheap' : 'heavy';
  }

  record(micros: number, rows: number): void {
    if (this.#runsApart > 0) this.#runsApart -= 1;
    this.#goodRuns += 1;
    if (this.#goodRuns === RUNS_TO_FORGIVE) this.#penalty = FIRST_PENALTY;
    const share = this.#samples === 0 ? 1 : NEWEST_SHARE;
    this.#samples += 1;
    this.#micros += (micros - this.#micros) * share;
    this.#rows += (rows - this.#rows) * share;
  }

  /** It held up others. */
  recordStall(micros: number): void {
    this.record(Math.max(micros, HEAVY_MICROS), 0);
    this.#goodRuns = 0;
    this.#runsApart = this.#penalty;
    this.#penalty = Math.min(this.#penalty * 2, MAX_PENALTY);
  }
}
