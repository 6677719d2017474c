import type { Clock } from '../async/index.ts';
import { captureCallSite, type CallSite } from './call-site.ts';

const BURST = 100;
const PER_MS = 0.1;
const EAGER_MS = 600_000;
const MISSED = 'Error\n    at a place that was not noted under this load; for ten minutes all will be';

/**
 * Where transactions were begun, for the messages about those that are used too late or held too long. A
 * capture costs up to a tenth of a small transaction, so of many only some have one: 100 at once, 100 a
 * second lasting. When one is asked for that was missed, all have it for ten minutes.
 */
export class BeginSites {
  readonly #clock: Clock;
  #left = BURST;
  #filledAtMs: number;
  #eagerUntilMs = -Infinity;
  readonly #missed: CallSite;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledAtMs = clock.now();
    const wantAll = (): void => void (this.#eagerUntilMs = clock.now() + EAGER_MS);
    this.#missed = {
      get stack() {
        wantAll();
        return MISSED;
      },
    };
  }

  capture(): CallSite {
    const nowMs = this.#clock.now();
    if (nowMs < this.#eagerUntilMs) return captureCallSite();
    this.#left = Math.min(BURST, this.#left + (nowMs - this.#filledAtMs) * PER_MS);
    this.#filledAtMs = nowMs;
    if (this.#left < 1) return this.#missed;
    this.#left -= 1;
    return captureCallSite();
  }
}
