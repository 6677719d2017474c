const HIDDEN = '***';

/**
 * A value that no log, error, JSON or inspection shows (an inspection leaves private fields out). Only
 * `reveal()` gives it.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }
}
