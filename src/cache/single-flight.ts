import type { Label } from './labels.ts';
import type { Version } from './versions.ts';

/** The result of a load. */
export interface Loaded {
  readonly value: unknown;
  readonly labels: readonly Label[];
  /** It is at least as new as that. */
  readonly since: Version;
  /** False where what it depends on was changed while it ran. */
  readonly isCurrent: boolean;
  /** It was read in a transaction that has not committed: for the caller who loaded it alone. */
  readonly isPrivate: boolean;
  /** Where it came from, if not from the load. */
  readonly tier: 'redis' | undefined;
}

/** One load under way, and all who wait for it. */
export interface Flight {
  readonly promise: Promise<Loaded>;
  /** From then on it sees every change. */
  readonly since: Version;
  /** It runs inside the transaction of the caller that began it, and ends with that. */
  readonly inTransaction: boolean;
  /** Set where its value was deleted or replaced meanwhile: the result must not be kept. */
  isObsolete: boolean;
}

/** At most one load for each key. */
export class SingleFlight {
  readonly #flights = new Map<string, Flight>();

  get size(): number {
    return this.#flights.size;
  }

  find(key: string): Flight | undefined {
    return this.#flights.get(key);
  }

  /** `load` gets the flight itself, to ask it when it ends. */
  begin(
    key: string,
    { since, inTransaction }: Pick<Flight, 'since' | 'inTransaction'>,
    load: (flight: Flight) => Promise<Loaded>,
  ): Flight {
    const landed = Promise.withResolvers<Loaded>();
    const flight: Flight = { promise: landed.promise, since, inTransaction, isObsolete: false };
    this.#flights.set(key, flight);
    // Perhaps nobody is left to be told that it failed: callers gave up waiting, or were given an old value.
    landed.promise.catch(() => undefined);
    const land = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    // It is removed before those who wait get the result: the next caller begins another.
    load(flight).then(
      (loaded) => {
        land();
        landed.resolve(loaded);
      },
      (error: unknown) => {
        land();
        landed.reject(error);
      },
    );
    return flight;
  }

  /** The next caller of this key begins a load of its own; those who wait get what comes. */
  makeObsolete(key: string): void {
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    flight.isObsolete = true;
    this.#flights.delete(key);
  }

  makeAllObsolete(): void {
    for (const key of [...this.#flights.keys()]) this.makeObsolete(key);
  }
}
