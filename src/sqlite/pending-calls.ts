import type { PendingCall } from './pending-call.ts';

/**
 * The calls that a worker has received and not answered, by their sequence numbers: fewer than `capacity` of
 * consecutive ones, as the slots of a ring. Not a Map: V8 links the table that a Map has outgrown to the next
 * one, entries included, and once one such table has become old, quick garbage collections keep every call
 * that was in the Map since then, with its rows.
 */
export class PendingCalls {
  readonly #slots: (PendingCall | undefined)[];
  #newest = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#slots = Array.from({ length: capacity }, () => undefined);
  }

  get size(): number {
    return this.#size;
  }

  get(seq: number): PendingCall | undefined {
    const call = this.#slots[seq % this.#slots.length];
    return call?.seq === seq ? call : undefined;
  }

  /** Takes the place of another one of the same number. */
  set(call: PendingCall): void {
    const slot = call.seq % this.#slots.length;
    if (this.#slots[slot] === undefined) {
      this.#size += 1;
      this.#newest = slot;
    }
    this.#slots[slot] = call;
  }

  delete(seq: number): void {
    if (this.get(seq) === undefined) return;
    this.#slots[seq % this.#slots.length] = undefined;
    this.#size -= 1;
  }

  /** In the order in which they were sent. */
  values(): PendingCall[] {
    const oldestFirst = [...this.#slots.slice(this.#newest + 1), ...this.#slots.slice(0, this.#newest + 1)];
    return oldestFirst.filter((call) => call !== undefined);
  }

  clear(): void {
    this.#slots.fill(undefined);
    this.#size = 0;
  }
}
