/** Texts kept at most, half of them freshly used. */
const MOST_TEXTS = 1_000;
/**
 * Longer texts are not kept: reading one again costs little compared with sending it, and many would fill the
 * memory.
 */
const LONGEST_TEXT = 8_192;

/**
 * What was learnt about recently used SQL texts. Two generations instead of an exact order of use: a hit in
 * the young one writes nothing, and when that is full the old one is dropped as a whole.
 */
export class TextCache<Entry> {
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();

  /** Texts kept now. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(text: string): Entry | undefined {
    const entry = this.#young.get(text);
    return entry === undefined ? this.#revive(text) : entry;
  }

  set(text: string, entry: Entry): void {
    if (text.length > LONGEST_TEXT) return;
    if (this.#young.size >= MOST_TEXTS / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, entry);
  }

  #revive(text: string): Entry | undefined {
    const entry = this.#old.get(text);
    if (entry === undefined) return undefined;
    this.#old.delete(text);
    this.set(text, entry);
    return entry;
  }
}
