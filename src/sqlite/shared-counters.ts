/** What workers count and the main thread shows, without a message for either. One buffer for all threads of a database. */
export class SharedCounters {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  /** One transaction of the group commit, with so many members; `replayed` when they had to run again one by one. */
  countGroup(members: number, replayed: boolean): void {
    Atomics.add(this.#cells, 0, 1);
    Atomics.add(this.#cells, 1, members);
    if (replayed) Atomics.add(this.#cells, 2, 1);
  }

  read(): { readonly groupCommits: number; readonly groupedWrites: number; readonly groupReplays: number } {
    const [groupCommits = 0, groupedWrites = 0, groupReplays = 0] = this.#cells;
    return { groupCommits, groupedWrites, groupReplays };
  }
}
