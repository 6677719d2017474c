import type { CacheReport } from './cache-report.ts';
import type { Label } from './labels.ts';
import type { MemoryTier } from './memory-tier.ts';
import type { SingleFlight } from './single-flight.ts';
import type { Versions } from './versions.ts';

/** Tells the other processes. Takes bounded time and never fails: what cannot be sent now is sent later. */
export interface InvalidationBus {
  publish(labels: readonly Label[] | 'everything'): Promise<void>;
}

interface InvalidatorParts {
  readonly memory: MemoryTier;
  readonly versions: Versions;
  readonly flights: SingleFlight;
  readonly report: CacheReport;
  readonly bus: InvalidationBus | undefined;
}

type Source = 'local' | 'foreign' | 'bus';

/** The one way to invalidate entries: they are dropped here at once, then the other processes are told. */
export class Invalidator {
  readonly #parts: InvalidatorParts;

  constructor(parts: InvalidatorParts) {
    this.#parts = parts;
  }

  /** When this returns, none of it is given any more in this process; the promise is for the others. */
  invalidate(labels: readonly Label[], source: Source): Promise<void> {
    const { memory, versions, report, bus } = this.#parts;
    versions.change(labels);
    report.invalidated({ source, dropped: memory.drop(labels) });
    return source === 'bus' || bus === undefined ? Promise.resolve() : bus.publish(labels);
  }

  /** One value, whatever it depends on. The result of a load of it that is under way will not be kept. */
  invalidateKey(key: string, label: Label): Promise<void> {
    const { memory, flights } = this.#parts;
    flights.makeObsolete(key);
    const dropped = memory.delete(key) ? 1 : 0;
    this.#parts.report.counters.dropped += dropped;
    return this.invalidate([label], 'local');
  }

  everything(source: Source): Promise<void> {
    const { memory, versions, flights, report, bus } = this.#parts;
    versions.changeEverything();
    flights.makeAllObsolete();
    report.invalidated({ source, dropped: memory.clear() });
    return source === 'bus' || bus === undefined ? Promise.resolve() : bus.publish('everything');
  }
}
