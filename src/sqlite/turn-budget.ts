/** A caller that waits for the next turn. */
type Resume = () => void;

/**
 * How long the inline reader may use one turn of the event loop. Resolved promises alone never give the loop
 * a chance to look at timers and sockets (they all run in the same turn), so when the budget is spent,
 * callers go on in the check phase of the next turn:
 * https://nodejs.org/en/learn/asynchronous-work/event-loop-timers-and-nexttick
 */
export class TurnBudget {
  readonly #budgetMs: number;
  #turnStartedAt = 0;
  #inTurn = false;
  #waiting: Resume[] = [];

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  /** @returns false when this turn has had its share, or others wait already. */
  hasRoom(now: number): boolean {
    if (!this.#inTurn) {
      this.#inTurn = true;
      this.#turnStartedAt = now;
      setImmediate(() => this.#nextTurn());
      return true;
    }
    return this.#waiting.length === 0 && now - this.#turnStartedAt < this.#budgetMs;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Calls `resume` in one of the next turns, in the order of asking. Only after `hasRoom` said no. */
  wait(resume: Resume): void {
    this.#waiting.push(resume);
  }

  #nextTurn(): void {
    this.#inTurn = false;
    if (this.#waiting.length === 0) return;
    const resumed = this.#waiting;
    this.#waiting = [];
    this.#resume(resumed);
  }

  #resume(resumed: Resume[]): void {
    this.hasRoom(performance.now());
    let next = 0;
    while (next < resumed.length && performance.now() - this.#turnStartedAt < this.#budgetMs) {
      resumed[next]!();
      next += 1;
    }
    // Callers that found no room go before those that have come since.
    this.#waiting = next < resumed.length ? resumed.slice(next).concat(this.#waiting) : this.#waiting;
  }
}
