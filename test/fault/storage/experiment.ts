/** What one experiment is told. */
export interface Extent {
  /** Rounds: kills, fills, faults, flips. */
  readonly count: number;
  /** The same seed gives the same choices (not the same timing: that is the machine's). */
  readonly seed: number;
}

/** What one experiment saw. */
export interface Outcome {
  readonly counts: Readonly<Record<string, number>>;
  /** Every broken promise, as a sentence; none is the only good answer. */
  readonly broken: readonly string[];
}

const MOST_KEPT = 20;

/** Gathers counts and broken promises while an experiment runs. */
export class Findings {
  readonly #counts: Record<string, number> = {};
  readonly #broken: string[] = [];
  #dropped = 0;

  add(name: string, amount: number = 1): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + amount;
  }

  /** Keeps the largest. */
  most(name: string, value: number): void {
    this.#counts[name] = Math.max(this.#counts[name] ?? 0, value);
  }

  break(sentence: string): void {
    if (this.#broken.length < MOST_KEPT) this.#broken.push(sentence);
    else this.#dropped += 1;
  }

  outcome(): Outcome {
    const more = this.#dropped === 0 ? [] : [`and ${this.#dropped} more`];
    return { counts: this.#counts, broken: [...this.#broken, ...more] };
  }
}
