import { LRUCache } from 'lru-cache';
import type { Entry } from './entry.ts';
import type { Label } from './labels.ts';

export interface MemoryTierSettings {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Called for each entry that had to make room for another. */
  readonly onEvict: () => void;
}

/** What an entry costs beside its value: its place in the list, its key's and its labels' places. */
const ENTRY_BYTES = 200;

/**
 * The entries in memory: the least recently used ones make room. The tier knows which entries depend on a
 * label, so that a change drops exactly those, at once.
 */
export class MemoryTier {
  readonly #entries: LRUCache<string, Entry>;
  readonly #keysOf = new Map<Label, Set<string>>();

  constructor({ maxEntries, maxBytes, onEvict }: MemoryTierSettings) {
    this.#entries = new LRUCache<string, Entry>({
      max: maxEntries,
      maxSize: maxBytes,
      dispose: (entry, key, reason) => {
        this.#forget(key, entry.labels);
        if (reason === 'evict') onEvict();
      },
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** Counts as a use. */
  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  peek(key: string): Entry | undefined {
    return this.#entries.peek(key);
  }

  /** @returns false where it is larger than the whole tier: then nothing is kept under this key */
  set(key: string, entry: Entry): boolean {
    this.#entries.set(key, entry, { size: entry.bytes + ENTRY_BYTES + 2 * key.length });
    if (!this.#entries.has(key)) return false;
    for (const label of entry.labels) {
      const keys = this.#keysOf.get(label);
      if (keys === undefined) this.#keysOf.set(label, new Set([key]));
      else keys.add(key);
    }
    return true;
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  /** @returns how many entries were dropped */
  drop(labels: Iterable<Label>): number {
    let dropped = 0;
    for (const label of labels) {
      // A set may lose members while it is walked; the last one takes the set out of the map.
      for (const key of this.#keysOf.get(label) ?? []) if (this.#entries.delete(key)) dropped += 1;
    }
    return dropped;
  }

  clear(): number {
    const dropped = this.#entries.size;
    this.#entries.clear();
    return dropped;
  }

  /** Drops what has finally expired. */
  cleanup(now: number): number {
    let dropped = 0;
    for (const [key, entry] of [...this.#entries.entries()]) {
      if (now >= entry.goneAt && this.#entries.delete(key)) dropped += 1;
    }
    return dropped;
  }

  #forget(key: string, labels: readonly Label[]): void {
    for (const label of labels) {
      const keys = this.#keysOf.get(label);
      keys?.delete(key);
      if (keys?.size === 0) this.#keysOf.delete(label);
    }
  }
}
