const Cell = {
  groupCommits: 0,
  groupedWrites: 1,
  groupReplays: 2,
  walFrames: 3,
  checkpointedFrames: 4,
} as const;

/**
 * What workers count and the main thread shows, without a message for either. One buffer for all threads of a
 * database.
 */
export class SharedCounters {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(
    buffer: SharedArrayBuffer = new SharedArrayBuffer(
      Object.keys(Cell).length * Int32Array.BYTES_PER_ELEMENT,
    ),
  ) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  /**
   * One transaction of the group commit, with so many members; `replayed` when they had to run again one by
   * one.
   */
  countGroup(members: number, replayed: boolean): void {
    Atomics.add(this.#cells, Cell.groupCommits, 1);
    Atomics.add(this.#cells, Cell.groupedWrites, members);
    if (replayed) Atomics.add(this.#cells, Cell.groupReplays, 1);
  }

  /**
   * The write-ahead log as the writer last saw it: its frames, and how many of them are in the database
   * already.
   */
  noteLog(walFrames: number, checkpointedFrames: number): void {
    Atomics.store(this.#cells, Cell.walFrames, walFrames);
    Atomics.store(this.#cells, Cell.checkpointedFrames, checkpointedFrames);
  }

  get walFrames(): number {
    return Atomics.load(this.#cells, Cell.walFrames);
  }

  /** Frames that a checkpoint has still to move. */
  get logBacklog(): number {
    return this.walFrames - Atomics.load(this.#cells, Cell.checkpointedFrames);
  }

  readGroups(): {
    readonly groupCommits: number;
    readonly groupedWrites: number;
    readonly groupReplays: number;
  } {
    const read = (cell: number) => Atomics.load(this.#cells, cell);
    return {
      groupCommits: read(Cell.groupCommits),
      groupedWrites: read(Cell.groupedWrites),
      groupReplays: read(Cell.groupReplays),
    };
  }
}
