import type { Clock } from '../async/index.ts';
import type { Lifetime } from './cache-options.ts';
import type { CacheReport } from './cache-report.ts';
import type { Coupling } from './coupling.ts';
import { lifetimeFrom, type Entry, type EntryEnds } from './entry.ts';
import { keyLabel, type Label } from './labels.ts';
import { withinLimit } from './load-limit.ts';
import { LoadScope, type ScopeOwner } from './load-scope.ts';
import type { MemoryTier } from './memory-tier.ts';
import type { FillTicket, SecondTier, SharedLookup, SharedValue } from './second-tier.ts';
import type { Flight, Loaded } from './single-flight.ts';
import type { ValuePolicy } from './value-policy.ts';
import type { Versions } from './versions.ts';

export interface LoadContext {
  /** Aborted when the load has taken longer than `loadTimeoutMs`. */
  readonly signal: AbortSignal;
}

export interface LoadRequest {
  readonly key: string;
  /** Of the cached function, for events and messages. */
  readonly name: string | undefined;
  readonly lifetime: Lifetime;
  load(context: LoadContext): unknown;
  /** What the value depends on, besides what is found out by listening to the load. */
  labelsOf(value: unknown): Label[];
}

export interface LoaderParts {
  readonly owner: ScopeOwner;
  readonly memory: MemoryTier;
  readonly second: SecondTier | undefined;
  readonly versions: Versions;
  readonly coupling: Coupling;
  readonly values: ValuePolicy;
  readonly report: CacheReport;
  readonly ttlJitter: number;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** One load: its flight, what it depends on, and the end of its time. */
interface Run {
  readonly request: LoadRequest;
  readonly flight: Flight;
  readonly scope: LoadScope;
  readonly signal: AbortSignal;
}

type Target = Pick<LoadRequest, 'key' | 'name'>;

interface Put extends Target {
  readonly value: unknown;
  readonly labels: readonly Label[];
  readonly lifetime: Lifetime;
}

interface Sharing {
  readonly life: Lifetime;
  readonly ticket: FillTicket;
}

interface Keepable {
  readonly value: unknown;
  readonly labels: readonly Label[];
  readonly ends: EntryEnds;
}

const NOTHING_SHARED: SharedLookup = { found: undefined, ticket: undefined };

/** Loads values and keeps them, unless what they depend on was changed since the load began. */
export class Loader {
  readonly #parts: LoaderParts;

  constructor(parts: LoaderParts) {
    this.#parts = parts;
  }

  async load(request: LoadRequest, flight: Flight): Promise<Loaded> {
    const { versions, coupling, owner, clock, memory, report } = this.#parts;
    const { key, name, lifetime } = request;
    const scope = new LoadScope({ owner, key, since: flight.since });
    versions.open();
    coupling.beginLoad();
    try {
      const limit = { timeoutMs: lifetime.loadTimeoutMs, name };
      return await withinLimit(clock, limit, (signal) => this.#fetch({ request, flight, scope, signal }));
    } catch (error) {
      // What may still come is too late.
      flight.isObsolete = true;
      const kept = memory.peek(key);
      if (kept !== undefined) kept.retryAt = clock.now() + lifetime.retryAfterMs;
      report.loadFailed(error);
      throw error;
    } finally {
      coupling.endLoad(scope);
      versions.close();
    }
  }

  /** What another process has kept and may be given as it is. */
  async lookUp(key: string): Promise<{ readonly value: unknown } | undefined> {
    const { second, versions } = this.#parts;
    if (second === undefined) return undefined;
    const since = versions.open();
    try {
      const { found } = await second.read(key);
      const isUsable = found !== undefined && found.freshMs > 0 && versions.isCurrent(found.labels, since);
      if (!isUsable) return undefined;
      this.#takeOver({ key, name: undefined }, found);
      return { value: found.value };
    } finally {
      versions.close();
    }
  }

  /** Keeps a value that nobody had to load. The others get it a moment later. */
  put({ value, labels, lifetime, ...target }: Put): void {
    const { second, clock } = this.#parts;
    const life = this.#lifetimeOf(value, lifetime);
    if (life === undefined) return;
    const all = this.#allLabels(target.key, labels);
    const entry = this.#remember(target, { value, labels: all, ends: lifetimeFrom(clock.now(), life) });
    if (entry === undefined || second === undefined) return;
    void second.read(target.key).then(({ ticket }) => {
      if (ticket !== undefined) return this.#share(target.key, entry, { life, ticket });
      return undefined;
    });
  }

  async #fetch(run: Run): Promise<Loaded> {
    const { second, report } = this.#parts;
    const { request, scope, signal } = run;
    const shared = second === undefined ? NOTHING_SHARED : await second.read(request.key);
    const usable = this.#usable(run, shared.found);
    if (usable !== undefined && usable.freshMs > 0) return this.#adopt(run, usable, 0);
    let value: unknown;
    try {
      report.loadBegan();
      value = await scope.run(() => this.#parts.coupling.runLoad(() => request.load({ signal })));
    } catch (error) {
      const isStillUsable = this.#usable(run, usable) !== undefined;
      if (usable === undefined || !isStillUsable || signal.aborted) throw error;
      report.loadFailed(error);
      return this.#adopt(run, usable, request.lifetime.retryAfterMs);
    }
    return this.#keep(run, value, shared);
  }

  /** What another process has kept, unless this one knows that it is out of date. */
  #usable({ flight, scope }: Run, found: SharedValue | undefined): SharedValue | undefined {
    if (found === undefined || flight.isObsolete) return undefined;
    return this.#parts.versions.isCurrent(found.labels, scope.since) ? found : undefined;
  }

  /** Takes into memory what another process has kept. */
  #adopt({ request, scope }: Run, found: SharedValue, retryAfterMs: number): Loaded {
    const entry = this.#takeOver(request, found);
    if (entry !== undefined) entry.retryAt = this.#parts.clock.now() + retryAfterMs;
    const { value, labels } = found;
    return { value, labels, since: scope.since, isCurrent: true, isPrivate: false, tier: 'redis' };
  }

  #takeOver(target: Target, { value, labels, freshMs, staleMs, goneMs }: SharedValue): Entry | undefined {
    const now = this.#parts.clock.now();
    const ends = { freshUntil: now + freshMs, staleUntil: now + staleMs, goneAt: now + goneMs };
    return this.#remember(target, { value, labels, ends });
  }

  #keep(run: Run, value: unknown, { ticket }: SharedLookup): Loaded {
    const { versions, report, clock, memory } = this.#parts;
    const { request, flight, scope } = run;
    const labels = this.#allLabels(request.key, [...scope.labels(), ...request.labelsOf(value)]);
    const isPrivate = scope.isPrivate || scope.uncommitted.size > 0;
    const isCurrent = !isPrivate && versions.isCurrent(labels, scope.since);
    if (!isCurrent) report.refused();
    const life = this.#lifetimeOf(value, request.lifetime);
    if (isCurrent && !flight.isObsolete) {
      const entry =
        life === undefined
          ? undefined
          : this.#remember(request, { value, labels, ends: lifetimeFrom(clock.now(), life) });
      // An older value would come back where the next load fails.
      if (entry === undefined) memory.delete(request.key);
      // What was seen in a transaction may be older than the ticket.
      const isAsNew = !flight.inTransaction && scope.since === flight.since;
      // Not awaited: the caller has its value. It never rejects.
      if (entry !== undefined && life !== undefined && ticket !== undefined && isAsNew)
        void this.#share(request.key, entry, { life, ticket });
    }
    return { value, labels, since: scope.since, isCurrent, isPrivate, tier: undefined };
  }

  /** With other processes around, an entry must be found by its key's label, which is all they name. */
  #allLabels(key: string, labels: readonly Label[]): Label[] {
    const own = this.#parts.second === undefined ? [] : [keyLabel(key)];
    return [...new Set([...labels, ...own])];
  }

  async #share(key: string, entry: Entry, { life, ticket }: Sharing): Promise<void> {
    const { ttlMs, staleMs, graceMs } = life;
    const { value, labels } = entry;
    const goneMs = ttlMs + Math.max(staleMs, graceMs);
    const shared = { value, labels, freshMs: ttlMs, staleMs: ttlMs + staleMs, goneMs };
    if ((await this.#parts.second?.store(key, shared, ticket)) === false) this.#withdraw(key, entry);
  }

  /** Another process has changed what it depends on, and its word came through the other tier first. */
  #withdraw(key: string, entry: Entry): void {
    const { memory, report } = this.#parts;
    if (memory.peek(key) !== entry) return;
    memory.delete(key);
    report.refused();
  }

  /** @returns undefined where it cannot be kept */
  #remember({ key, name }: Target, { value, labels, ends }: Keepable): Entry | undefined {
    const { memory, report, values } = this.#parts;
    const kept = values.keep(value);
    const entry = kept === undefined ? undefined : { ...kept, labels, ...ends, retryAt: 0 };
    if (entry === undefined || !memory.set(key, entry)) {
      report.unkept();
      return undefined;
    }
    report.set({ name, bytes: entry.bytes });
    return entry;
  }

  /** @returns undefined where it is not to be kept */
  #lifetimeOf(value: unknown, lifetime: Lifetime): Lifetime | undefined {
    const { ttlJitter, random } = this.#parts;
    const isNothing = value === undefined || value === null;
    const fullMs = isNothing ? lifetime.negativeTtlMs : lifetime.ttlMs;
    // Infinity times 0 is not a number.
    const ttlMs = fullMs === Infinity ? fullMs : fullMs * (1 - ttlJitter * random());
    if (isNothing) return ttlMs === 0 ? undefined : { ...lifetime, ttlMs, staleMs: 0, graceMs: 0 };
    return ttlMs + lifetime.staleMs + lifetime.graceMs === 0 ? undefined : { ...lifetime, ttlMs };
  }
}
