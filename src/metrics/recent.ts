/** The last few of something, the newest first. */
export class Recent<Item> {
  readonly #max: number;
  #items: Item[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  add(item: Item): void {
    this.#items.push(item);
    // Cut at twice the length, so that adding does not move the whole list each time.
    if (this.#items.length >= 2 * this.#max) this.#items = this.#items.slice(-this.#max);
  }

  list(): Item[] {
    return this.#items.slice(-this.#max).reverse();
  }

  clear(): void {
    this.#items = [];
  }
}
