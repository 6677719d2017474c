/** A transaction that is open now. */
export interface RunningTransaction {
  readonly id: number;
  readonly name?: string;
  readonly readOnly: boolean;
  readonly ageMs: number;
  readonly statements: number;
  /** Where in the code, of one that is held for too long. */
  readonly begunAt?: string;
}

interface Begun {
  readonly transactionId: number;
  readonly name?: string;
  readonly readOnly: boolean;
}

interface Open extends Begun {
  readonly startedAtMs: number;
  statements: number;
  begunAt: string | undefined;
}

/** More than any pool has connections for; beyond it they are counted, but not listed. */
const MOST_LISTED = 1_000;

/** Which transactions are open, and since when. */
export class TransactionWatch {
  readonly #open = new Map<number, Open>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  began({ transactionId, name, readOnly }: Begun): void {
    if (this.#open.size >= MOST_LISTED) return;
    const named = name === undefined ? {} : { name };
    this.#open.set(transactionId, {
      transactionId,
      ...named,
      readOnly,
      startedAtMs: this.#now(),
      statements: 0,
      begunAt: undefined,
    });
  }

  ran(transactionId: number): void {
    const open = this.#open.get(transactionId);
    if (open !== undefined) open.statements += 1;
  }

  heldTooLong({
    transactionId,
    takenAt,
  }: {
    readonly transactionId: number;
    readonly takenAt: string;
  }): void {
    const open = this.#open.get(transactionId);
    if (open !== undefined) open.begunAt = takenAt;
  }

  ended(transactionId: number): void {
    this.#open.delete(transactionId);
  }

  /** The oldest first. */
  running(): RunningTransaction[] {
    const nowMs = this.#now();
    return [...this.#open.values()].map(({ transactionId, name, startedAtMs, begunAt, ...rest }) => ({
      id: transactionId,
      ...(name === undefined ? {} : { name }),
      readOnly: rest.readOnly,
      ageMs: nowMs - startedAtMs,
      statements: rest.statements,
      ...(begunAt === undefined ? {} : { begunAt }),
    }));
  }
}
