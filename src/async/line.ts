/** Answered ones are cut off when there are so many, not one by one: the line may be long. */
const CUT_AT = 1_024;

/**
 * What is under way or waits, in order: most leave it at its head. Not a Set: V8 links the table that a Set
 * has outgrown to the one that follows, entries and all, and where one such table has become old, the quick
 * garbage collections take all that was ever in the Set since then for alive.
 */
export class Line<Item extends object> implements Iterable<Item> {
  readonly #items: (Item | undefined)[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** The one at the head, which stays. */
  peek(): Item | undefined {
    return this.#items[this.#first];
  }

  /** The one that came last. */
  get last(): Item | undefined {
    return this.#items[this.#items.length - 1];
  }

  /** The one at the head, which leaves. */
  shift(): Item | undefined {
    const item = this.#items[this.#first];
    if (item === undefined) return undefined;
    this.#items[this.#first] = undefined;
    this.#first += 1;
    if (this.#first === this.#items.length) {
      this.#items.length = 0;
      this.#first = 0;
    } else if (this.#first === CUT_AT) {
      this.#items.splice(0, CUT_AT);
      this.#first = 0;
    }
    return item;
  }

  /** @returns false where it has left already */
  remove(item: Item): boolean {
    const place = this.#items.indexOf(item, this.#first);
    if (place < 0) return false;
    if (place === this.#first) this.shift();
    else this.#items.splice(place, 1);
    return true;
  }

  /** Those that are in it now, in order, whatever becomes of them meanwhile. */
  [Symbol.iterator](): Iterator<Item> {
    return (this.#items.slice(this.#first) as Item[]).values();
  }
}
