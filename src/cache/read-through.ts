import { UsageError } from '../errors/index.ts';
import { withoutTransaction } from '../transaction/index.ts';
import { CoarseTime } from './coarse-time.ts';
import type { Standing } from './coupling.ts';
import { freshnessOf, type Entry } from './entry.ts';
import { keyLabel, type Label } from './labels.ts';
import type { Loader, LoaderParts, LoadRequest } from './loader.ts';
import { waitFor } from './load-limit.ts';
import { currentLoad } from './load-scope.ts';
import type { Flight, Loaded, SingleFlight } from './single-flight.ts';
import type { Version } from './versions.ts';

export interface ReadThroughParts extends LoaderParts {
  readonly flights: SingleFlight;
  readonly loader: Loader;
}

/** A call that has had to reject the result of other calls' loads this often loads on its own. */
const MOST_JOINS = 2;

/** Gives what is kept, and loads what is not: once for all who ask in the meantime. */
export class ReadThrough {
  readonly #parts: ReadThroughParts;
  readonly #time: CoarseTime;

  constructor(parts: ReadThroughParts) {
    this.#parts = parts;
    this.#time = new CoarseTime(parts.clock);
  }

  /**
   * A value that is fresh and in memory, counted as a hit; otherwise undefined. Asked first, because this is
   * by far the most frequent case, and needs nothing but the key.
   */
  hitNow(key: string, name: string | undefined): { readonly value: unknown } | undefined {
    const { coupling, memory, report, values } = this.#parts;
    const entry = memory.get(key);
    if (entry === undefined || this.#time.now() >= entry.freshUntil || coupling.isWriting()) return undefined;
    report.hit(name, 'memory', false);
    if (currentLoad() !== undefined) this.#tellOuter(key, entry.labels);
    return values.sharesValues ? entry : { value: values.give(entry.value) };
  }

  read(request: LoadRequest): Promise<unknown> {
    const { coupling, memory, clock } = this.#parts;
    const standing = coupling.standing();
    if (standing.kind === 'writing') return this.bypass(request);
    const entry = memory.get(request.key);
    if (entry === undefined) return this.#fly(request, standing);
    const now = clock.now();
    switch (freshnessOf(entry, now)) {
      case 'fresh':
        return Promise.resolve(this.#hit(request, entry, false));
      case 'stale':
        if (now >= entry.retryAt) this.#refresh(request);
        return Promise.resolve(this.#hit(request, entry, true));
      case 'grace':
        if (now < entry.retryAt) return Promise.resolve(this.#hit(request, entry, true));
        return this.#flyOrKeep(request, standing);
      case 'gone':
        return this.#fly(request, standing);
    }
  }

  /** What may be given without loading, from either tier; undefined where there is nothing. */
  async find(key: string): Promise<unknown> {
    const { report, loader } = this.#parts;
    const entry = this.inMemory(key);
    const found =
      entry === undefined ? await loader.lookUp(key) : { value: this.#parts.values.give(entry.value) };
    if (found === undefined) report.missed(undefined);
    else report.hit(undefined, entry === undefined ? 'redis' : 'memory', false);
    return found?.value;
  }

  /**
   * Nothing that a value in memory depends on has changed since; only its age can be a reason not to give it.
   */
  inMemory(key: string): Entry | undefined {
    const { memory } = this.#parts;
    const entry = memory.get(key);
    return entry !== undefined && this.#time.now() < entry.staleUntil ? entry : undefined;
  }

  /** Loads and keeps nothing: for a transaction that writes, whose view nobody else shares. */
  async bypass(request: LoadRequest): Promise<unknown> {
    this.#parts.report.bypassed(request.name);
    return request.load({ signal: new AbortController().signal });
  }

  /** Counts the hit; a load that uses it depends on what it depends on. */
  #hit({ key, name }: LoadRequest, entry: Entry, isStale: boolean): unknown {
    this.#parts.report.hit(name, 'memory', isStale);
    this.#tellOuter(key, entry.labels);
    return this.#parts.values.give(entry.value);
  }

  #tellOuter(key: string, labels: readonly Label[], loaded?: Loaded): void {
    const outer = currentLoad();
    if (outer === undefined) return;
    outer.include(labels, this.#parts.owner);
    outer.include([keyLabel(key)], this.#parts.owner);
    if (loaded !== undefined) outer.sawSince(loaded.since);
    if (loaded?.isPrivate === true) outer.isPrivate = true;
  }

  /** In the background, outside of the caller's transaction, which will not wait for it. */
  #refresh(request: LoadRequest): void {
    if (this.#parts.flights.find(request.key) !== undefined) return;
    withoutTransaction(() => this.#begin(request, { kind: 'outside' }));
  }

  /** Waits for a load of this key: one that is under way, or its own. */
  async #fly(request: LoadRequest, standing: Standing): Promise<unknown> {
    const { flights, versions, values } = this.#parts;
    const arrivedAt = versions.now;
    for (let joins = 0; ; joins += 1) {
      const joined = joins < MOST_JOINS ? flights.find(request.key) : undefined;
      if (joined === undefined) return (await this.#landed(request, this.#begin(request, standing))).value;
      this.#assertNotWithin(request);
      const loaded = await this.#joined(request, joined);
      if (loaded !== undefined && isFor(arrivedAt, loaded)) return values.give(loaded.value);
      // It began before a change that this caller may know of. A newer one may have come since.
      const entry = this.inMemory(request.key);
      if (entry !== undefined) return this.#hit(request, entry, false);
    }
  }

  async #landed(request: LoadRequest, flight: Flight): Promise<Loaded> {
    const { report } = this.#parts;
    try {
      const loaded = await flight.promise;
      if (loaded.tier === undefined) report.missed(request.name);
      else report.hit(request.name, loaded.tier, false);
      this.#tellOuter(request.key, loaded.labels, loaded);
      return loaded;
    } catch (error) {
      report.missed(request.name);
      throw error;
    }
  }

  /** @returns undefined where it failed for a reason that is not this caller's: its transaction ended */
  async #joined(request: LoadRequest, flight: Flight): Promise<Loaded | undefined> {
    if (!flight.inTransaction) return this.#landed(request, flight);
    const hasFailed = await flight.promise.then(
      () => false,
      () => true,
    );
    return hasFailed ? undefined : this.#landed(request, flight);
  }

  /** If a load fails, or takes long, the kept value is given, as long as nothing has dropped it. */
  async #flyOrKeep(request: LoadRequest, standing: Standing): Promise<unknown> {
    const { flights, memory, clock, values } = this.#parts;
    const { softTimeoutMs } = request.lifetime;
    const arrivedAt = this.#parts.versions.now;
    this.#assertNotWithin(request);
    const flight = flights.find(request.key) ?? this.#begin(request, standing);
    // A load inside a transaction must have ended before the transaction does.
    const isPatient = softTimeoutMs === 0 || flight.inTransaction;
    let failure: { readonly error: unknown } | undefined;
    try {
      const loaded = await (isPatient ? flight.promise : waitFor(clock, softTimeoutMs, flight.promise));
      if (loaded !== undefined && isFor(arrivedAt, loaded)) {
        this.#parts.report.missed(request.name);
        this.#tellOuter(request.key, loaded.labels, loaded);
        return values.give(loaded.value);
      }
    } catch (error) {
      failure = { error };
    }
    const kept = memory.peek(request.key);
    if (kept !== undefined && clock.now() < kept.goneAt) return this.#hit(request, kept, true);
    if (failure !== undefined) throw failure.error;
    return this.#fly(request, standing);
  }

  #begin(request: LoadRequest, standing: Standing): Flight {
    const { flights, loader, versions } = this.#parts;
    const inTransaction = standing.kind === 'reading';
    const since = standing.kind === 'reading' ? standing.since : versions.now;
    return flights.begin(request.key, { since, inTransaction }, (flight) => loader.load(request, flight));
  }

  #assertNotWithin({ key, name }: LoadRequest): void {
    if (currentLoad()?.isWithin(this.#parts.owner.cache, key) !== true) return;
    const what = name === undefined ? 'a value' : `"${name}"`;
    throw new UsageError(`The load of ${what} asks the cache for what it is loading: it would never end.`);
  }
}

/** True where the caller may be given it: nothing it depends on was changed before the caller came. */
function isFor(arrivedAt: Version, { since, isCurrent, isPrivate }: Loaded): boolean {
  return !isPrivate && (isCurrent || arrivedAt <= since);
}
