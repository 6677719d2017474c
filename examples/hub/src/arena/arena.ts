import type { Target } from '../load/protocol.ts';
import type { Store } from '../service/store.ts';

/** What the measurements need to know about the data, read with neither of the two versions. */
export interface Facts {
  readonly cities: number;
  /** The engine and its version. */
  readonly engine: string;
  /** Cities to ask for, spread evenly over the table. */
  readonly targets: Target[];
  /** `:among` with which the slow request takes about `SLOW_QUERY_MS` here. */
  readonly among: number;
}

/** One of the two ways to use the database, on its own copy of the data. */
export interface Version {
  readonly name: 'before' | 'after';
  /** Of its database, for those who open it elsewhere. */
  readonly url: string;
  readonly openStore: () => Promise<Store>;
  /** How many of these check-ins are there, seen by a connection that had no part in writing them. */
  readonly countCheckIns: (ids: readonly number[]) => Promise<number>;
}

/** How the report speaks of what it compares. */
export interface Labels {
  readonly title: string;
  /** What *before* is, in at most 20 characters. */
  readonly before: string;
  /** The parts of the introduction that differ between engines. */
  readonly facets: Readonly<Record<string, string>>;
}

/** An engine with both versions on it. */
export interface Arena extends AsyncDisposable {
  readonly labels: Labels;
  readonly facts: Facts;
  readonly versions: readonly [Version, Version];
}

/** The size of the slow request that both versions get, in milliseconds on an idle machine. */
export const SLOW_QUERY_MS = 100;
const TRIAL = 4000;

/** Finds the `:among` for `Facts`. */
export async function calibrate(run: (among: number) => unknown, cities: number): Promise<number> {
  const timed = async (among: number): Promise<number> => {
    const begunMs = performance.now();
    await run(among);
    return performance.now() - begunMs;
  };
  const toSize = (among: number, ms: number): number =>
    Math.min(cities, Math.max(1, Math.round((among * SLOW_QUERY_MS) / ms)));
  await timed(TRIAL); // reads the pages
  const guess = toSize(TRIAL, Math.min(await timed(TRIAL), await timed(TRIAL)));
  // Larger cities come first and have more neighbours, so the cost is not quite proportional: once more.
  return toSize(guess, await timed(guess));
}
