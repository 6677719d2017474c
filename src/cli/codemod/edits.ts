interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * Changes of a text, by place: everything else stays as it was written. Insertions at one place come in
 * this order: what ends there, inner before outer, then what begins there, outer before inner; callers go
 * from outer to inner.
 */
export class Edits {
  readonly #before: Insertion[] = [];
  readonly #after: Insertion[] = [];
  readonly #removed: { readonly start: number; readonly end: number }[] = [];

  get isEmpty(): boolean {
    return this.#before.length + this.#after.length + this.#removed.length === 0;
  }

  /** In front of what begins at `at`. */
  before(at: number, text: string): void {
    this.#before.push({ at, text });
  }

  /** Behind what ends at `at`. */
  after(at: number, text: string): void {
    this.#after.push({ at, text });
  }

  remove(start: number, end: number): void {
    this.#removed.push({ start, end });
  }

  replace(start: number, end: number, text: string): void {
    this.remove(start, end);
    this.before(start, text);
  }

  apply(text: string): string {
    const insertions = new Map<number, string>();
    for (const { at, text: inserted } of [...this.#after.toReversed(), ...this.#before])
      insertions.set(at, (insertions.get(at) ?? '') + inserted);
    const removed = this.#removed.toSorted((one, other) => one.start - other.start);
    let result = '';
    let from = 0;
    const copyUntil = (end: number): void => {
      while (removed[0] !== undefined && removed[0].start < end) {
        const { start, end: until } = removed.shift()!;
        result += text.slice(from, Math.max(from, start));
        from = Math.max(from, until);
      }
      if (from < end) result += text.slice(from, end);
      from = Math.max(from, end);
    };
    for (const at of [...insertions.keys()].sort((one, other) => one - other)) {
      copyUntil(at);
      result += insertions.get(at)!;
    }
    copyUntil(text.length);
    return result;
  }
}
