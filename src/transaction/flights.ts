import { TransactionError } from '../errors/index.ts';
import type { Located, StatementSites } from './call-site.ts';

/**
 * A call in flight: it was made in a transaction and has not settled. A statement, a stream, or an inner
 * transaction.
 */
export interface Flight {
  readonly kind: 'statement' | 'inner';
  /** The statement, or how an inner transaction was begun. Never a bound value. */
  readonly text: string;
  readonly name: string | undefined;
  readonly site: Located;
  /** What its caller should be awaiting. */
  promise?: Promise<unknown>;
  /** False while it waits for its turn. */
  sent?: boolean;
  /** Closes what would otherwise stay open on the connection: a cursor. */
  readonly close?: () => void;
}

const MAX_NAMED = 3;
const MAX_TEXT = 200;

/** The calls in flight of one transaction or savepoint. */
export class Flights {
  readonly #flights = new Set<Flight>();

  get size(): number {
    return this.#flights.size;
  }

  add(flight: Flight): void {
    this.#flights.add(flight);
  }

  delete(flight: Flight): void {
    this.#flights.delete(flight);
  }

  /**
   * The answers still to come, without those of inner transactions (which may themselves be waiting for
   * this).
   */
  answers(): Promise<unknown>[] {
    const statements = [...this.#flights].filter((flight) => flight.kind === 'statement');
    return statements.flatMap((flight) => flight.promise ?? []);
  }

  /**
   * Before all of them are refused: cursors are closed, and promises that nobody awaits become harmless.
   * Their rejection tells nothing new (the transaction itself rejects) and would otherwise end the process.
   */
  breakOff(): void {
    for (const flight of this.#flights) {
      flight.promise?.catch(() => {});
      flight.close?.();
    }
  }

  /** The error of a transaction that was to be committed while these were still running. */
  unawaited(label: string, sites: StatementSites): TransactionError {
    const named = [...this.#flights].slice(0, MAX_NAMED).map((flight) => describe(flight, sites));
    const more = this.#flights.size > MAX_NAMED ? `; and ${this.#flights.size - MAX_NAMED} more` : '';
    return new TransactionError(
      `${label} was to be committed while calls of it were still running, so it was rolled back. ` +
        `Await each of them: ${named.join('; ')}${more}.`,
      { code: 'ERR_MILLPOND_UNAWAITED_QUERY' },
    );
  }
}

function describe(flight: Flight, sites: StatementSites): string {
  const text = flight.text.length > MAX_TEXT ? `${flight.text.slice(0, MAX_TEXT)}…` : flight.text;
  const name = flight.name === undefined ? '' : `"${flight.name}" `;
  return `${name}${text} ${sites.explain(flight.text, flight.site)}`;
}
