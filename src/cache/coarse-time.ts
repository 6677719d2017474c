import { runInRootContext, type Clock } from '../async/index.ts';

/** How far behind the time may be, while the event loop turns. */
const RESOLUTION_MS = 1;

/**
 * The time, read from the clock once a millisecond: reading it costs more than everything else that a hit
 * does.
 */
export class CoarseTime {
  readonly #clock: Clock;
  #now: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    if (this.#now === undefined) {
      this.#now = this.#clock.now();
      // It does not keep the process alive, and is set only while somebody asks.
      runInRootContext(() => this.#clock.after(RESOLUTION_MS, () => (this.#now = undefined)));
    }
    return this.#now;
  }
}
