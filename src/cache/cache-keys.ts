import { UsageError } from '../errors/index.ts';
import { encodeKey } from './key.ts';
import { boundedKey, LONGEST_KEY } from './labels.ts';

/**
 * The keys of one cache: of values that have a key of their own, and of calls of a function, for each scope.
 * A plain text is its own key; all others begin with NUL, so that they cannot be confused.
 */
export class CacheKeys {
  readonly #scope: (() => unknown) | undefined;

  constructor(scope: (() => unknown) | undefined) {
    this.#scope = scope;
  }

  ofKey(key: unknown): string {
    const isItsOwn = typeof key === 'string' && key.length <= LONGEST_KEY && key.charCodeAt(0) !== 0;
    if (isItsOwn && this.#scope === undefined) return key;
    return boundedKey(`\0${this.#scopePart()}k${encodeKey(key)}`);
  }

  /** @param name of the function, and @param key what tells its calls apart; both encoded */
  ofCall(name: string, key: string): string {
    return boundedKey(`\0${this.#scope === undefined ? '' : this.#scopePart()}f${name}${key}`);
  }

  #scopePart(): string {
    if (this.#scope === undefined) return '';
    const scope = this.#scope();
    if (scope === undefined) {
      throw new UsageError(
        'The cache asks whose values these are, and its `scope` function gave undefined. ' +
          'Give null for values that belong to nobody, or a tenant to the flow of this call.',
      );
    }
    return `@${encodeKey(scope)}`;
  }
}
