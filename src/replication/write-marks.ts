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

/** What a flow's reads must see. */
interface Scope {
  readonly mark: WriteMark;
  /** Written elsewhere, and carried here. */
  readonly after: bigint | undefined;
  /** Everything that was written before the read, whoever wrote it. */
  readonly latest: boolean;
}

/**
 * Which place in the log a read must have reached. A write costs nothing here: only when a replica is to be
 * read, the primary is asked where its log ends, which is behind every write that was answered before.
 */
export class WriteMarks {
  readonly #askPrimary: (whose: 'own' | 'all') => Promise<bigint>;
  readonly #scopes = new AsyncLocalStorage<Scope>();
  /** Of all flows together: for reads outside any scope. */
  readonly #process: WriteMark = createMark();

  /** @param askPrimary a place behind all writes that were answered by now: of this process, or of anybody */
  constructor(askPrimary: (whose: 'own' | 'all') => Promise<bigint>) {
    this.#askPrimary = askPrimary;
  }

  /** Inside `work`, reads see the writes made inside it, and those before `after`; others not necessarily. */
  scope<T>(after: bigint | undefined, work: () => T): T {
    return this.#scopes.run({ mark: createMark(), after, latest: false }, work);
  }

  /** Inside `work`, reads see what those outside would see, and the writes before `after` too. */
  alsoAfter<T>(after: bigint, work: () => T): T {
    const outer = this.#scopes.getStore();
    const latest = outer?.latest ?? false;
    return this.#scopes.run({ mark: this.current(), after: later(outer?.after, after), latest }, work);
  }

  /** Inside `work`, reads see all that was written before them, by other processes too. */
  latest<T>(work: () => T): T {
    const after = this.#scopes.getStore()?.after;
    return this.#scopes.run({ mark: this.current(), after, latest: true }, work);
  }

  /** Of the running flow; to be taken when a call is made, and noted when it has ended. */
  current(): WriteMark {
    return this.#scopes.getStore()?.mark ?? this.#process;
  }

  noteWrite(mark: WriteMark): void {
    mark.writes += 1;
    if (mark !== this.#process) this.#process.writes += 1;
  }

  /** What reads of the running flow must see; undefined where anything will do. */
  async required(): Promise<bigint | undefined> {
    const scope = this.#scopes.getStore();
    if (scope?.latest === true) return later(scope.after, await this.#askPrimary('all'));
    return later(scope?.after, await this.resolve(this.current()));
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
      const lsn = await this.#askPrimary('own');
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

function createMark(): WriteMark {
  return { writes: 0, covered: 0, lsn: undefined, asking: undefined };
}
