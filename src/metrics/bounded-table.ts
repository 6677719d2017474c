/** The key of the record for everything that found no place of its own. */
export const OTHER = 'other';

/**
 * Records by key, at most `max` of them; whatever comes later shares one called `other`. Nothing is dropped
 * to make room: counters that are read from outside must never go back, and their sum must stay true.
 */
export class BoundedTable<Entry> {
  readonly #max: number;
  readonly #entries = new Map<string, Entry>();
  #other: Entry | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  find(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** The record of that key, one that `create` makes for it, or the shared one. */
  of(key: string, create: (key: string) => Entry): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    // Who calls one `other` shares it as well: two of one name could not be told apart from outside.
    if (key === OTHER || this.#entries.size >= this.#max) return (this.#other ??= create(OTHER));
    const entry = create(key);
    this.#entries.set(key, entry);
    return entry;
  }

  /** Every record; the shared one last. */
  all(): Entry[] {
    const entries = [...this.#entries.values()];
    return this.#other === undefined ? entries : [...entries, this.#other];
  }

  clear(): void {
    this.#entries.clear();
    this.#other = undefined;
  }
}
