/** Does one thing after this turn of the event loop, once, however often it is asked for in the turn. */
export class AfterTurn {
  readonly #work: () => void;
  #isScheduled = false;
  readonly #run = (): void => {
    this.#isScheduled = false;
    this.#work();
  };

  constructor(work: () => void) {
    this.#work = work;
  }

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#run);
  }
}
