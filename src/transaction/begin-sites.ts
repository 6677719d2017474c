import type { Clock } from '../async/index.ts';
import { CaptureRation } from '../stack/index.ts';
import { captureCallSite, type CallSite } from './call-site.ts';

const CAPTURES_PER_MS = 0.1;
const MISSED = 'Error\n    at a place that was not noted under this load; for ten minutes all will be';

/**
 * Where transactions were begun, for the messages about those that are used too late or held too long. A
 * capture costs up to a tenth of a small transaction, so of many only some have one: 100 at once, 100 a
 * second lasting. When one is asked for that was missed, all have it for ten minutes.
 */
export class BeginSites {
  readonly #clock: Clock;
  readonly #ration = new CaptureRation(CAPTURES_PER_MS);
  readonly #missed: CallSite;

  constructor(clock: Clock) {
    this.#clock = clock;
    const wantAll = (): void => this.#ration.wantAll(clock.now());
    this.#missed = {
      get stack() {
        wantAll();
        return MISSED;
      },
    };
  }

  capture(): CallSite {
    return this.#ration.take(this.#clock.now()) ? captureCallSite() : this.#missed;
  }
}
