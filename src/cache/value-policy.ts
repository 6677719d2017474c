import { isDeepStrictEqual } from 'node:util';
import { walkValue } from './walk-value.ts';

export type ValueMode = 'freeze' | 'clone' | 'share';

/** A value as it is kept, and about how many bytes it takes. */
interface Kept {
  readonly value: unknown;
  readonly bytes: number;
}

/** Keeps callers from changing what other callers will get. */
export class ValuePolicy {
  readonly #mode: ValueMode;

  constructor(mode: ValueMode) {
    this.#mode = mode;
  }

  /** True where every caller is given the one value. */
  get sharesValues(): boolean {
    return this.#mode !== 'clone';
  }

  /** @returns undefined where the value cannot be kept: it cannot be copied, or a getter in it throws */
  keep(value: unknown): Kept | undefined {
    try {
      const own: unknown = this.#mode === 'clone' ? structuredClone(value) : value;
      // The copy of an instance is a plain object, that of a Buffer is none, and nothing says so.
      if (own !== value && !isDeepStrictEqual(own, value)) return undefined;
      return { value: own, bytes: walkValue(own, { freeze: this.#mode === 'freeze' }) };
    } catch {
      // Whoever loaded it gets it all the same.
      return undefined;
    }
  }

  /** For a caller, of a value that others are given too. */
  give(value: unknown): unknown {
    if (this.#mode !== 'clone') return value;
    try {
      return structuredClone(value);
    } catch {
      // It cannot be copied, so it was not kept either: these callers share what one load gave them.
      return value;
    }
  }
}
