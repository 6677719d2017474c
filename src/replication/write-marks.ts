import { AsyncLocalStorage } from 'node:async_hooks';

/** What a flow, or the process, has written so far. */
export interface WriteMark {
  /** Writes that have ended. */
  writes: number;
  /** Of them, those that `lsn` is known to be behind. */
  covered: number;
  lsn: bigint | undefined;
  asking: { readonly writes: number; readonly answer: Promise<bigint | undefined> } | undefined;
}

/**
 * Which place in the log a read must not be before. A write costs nothing here: only when a replica is to be
 * read, the primary is asked where its log ends, which is behind every write that was answered before.
 */
export class WriteMarks {
  readonly #askPrimary: () => Promise<bigint>;
  readonly #scopes = new AsyncLocalStorage<WriteMark>();
  /** Of all flows together: for reads outside any scope. */
  readonly #process: WriteMark = createMark(undefined);

  /** @param askPrimary where the primary's log ends now */
  constructor(askPrimary: () => Promise<bigint>) {
    this.#askPrimary = askPrimary;
  }

  /** Inside `work`, reads see the writes made inside it, and those before `after`; others not necessarily. */
  scope<T>(after: bigint | undefined, work: () => T): T {
    return this.#scopes.run(createMark(after), work);
  }

  /** Of the running flow; to be taken when a call is made, and noted when it has ended. */
  current(): WriteMark {
    return this.#scopes.getStore() ?? this.#process;
  }

  noteWrite(mark: WriteMark): void {
    mark.writes += 1;
    if (mark !== this.#process) this.#process.writes += 1;
  }

  /** Behind all writes of the mark that have ended by now; undefined where there were none. */
  async resolve(mark: WriteMark): Promise<bigint | undefined> {
    if (mark.covered === mark.writes) return mark.lsn;
    if (mark.asking?.writes !== mark.writes) mark.asking = { writes: mark.writes, answer: this.#ask(mark) };
    return mark.asking.answer;
  }

  async #ask(mark: WriteMark): Promise<bigint | undefined> {
    const { writes } = mark;
    try {
      const lsn = await this.#askPrimary();
      mark.lsn = later(mark.lsn, lsn);
      mark.covered = Math.max(mark.covered, writes);
      return mark.lsn;
    } finally {
      if (mark.asking?.writes === writes) mark.asking = undefined;
    }
  }
}

/** The later of two places. */
export function later(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}

function createMark(lsn: bigint | undefined): WriteMark {
  return { writes: 0, covered: 0, lsn, asking: undefined };
}
