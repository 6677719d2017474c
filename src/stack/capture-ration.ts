/** So many captures are allowed at once. */
const BURST = 100;
const EAGER_MS = 600_000;

/**
 * Decides which of many events have their stack captured. A capture costs a few microseconds, often more than
 * the event itself, so a busy program captures only some: 100 at once, and `perMs` lasting. After `wantAll`,
 * which is for when a capture was missed, all of them for ten minutes.
 */
export class CaptureRation {
  readonly #perMs: number;
  #left = BURST;
  #filledAtMs = 0;
  #eagerUntilMs = -Infinity;

  constructor(perMs: number) {
    this.#perMs = perMs;
  }

  /** Takes a capture from the ration. @returns false where none is left */
  take(nowMs: number): boolean {
    if (nowMs < this.#eagerUntilMs) return true;
    this.#left = Math.min(BURST, this.#left + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  wantAll(nowMs: number): void {
    this.#eagerUntilMs = nowMs + EAGER_MS;
  }
}
