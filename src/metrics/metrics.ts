import { AsyncLocalStorage } from 'node:async_hooks';
import { systemClock } from '../async/index.ts';
import { UsageError } from '../errors/index.ts';
import { announcerOf, type Announcer } from '../events/index.ts';
import { Announcements, type MetricsEventName, type MetricsEvents } from './announcements.ts';
import { DatabaseMetrics, type DatabaseSnapshot } from './database-metrics.ts';
import type { DurationHistogram } from './duration-histogram.ts';
import { EventLoopProbe, type EventLoopSnapshot } from './event-loop.ts';
import { metricFamilies, type MetricFamily } from './metric-families.ts';
import {
  resolveMetricsOptions,
  type MetricsOptions,
  type ResolvedMetricsOptions,
} from './metrics-options.ts';
import { NPlusOneDetector, type NPlusOneSuspect } from './n-plus-one.ts';
import type { ObservedCache, ObservedDatabase } from './observed-database.ts';
import { Recent } from './recent.ts';
import { assertWithinBudget, MeasuredRequest, overBudget, type QueryBudget } from './request.ts';
import { RouteTable, type EndedRequest, type RouteSnapshot } from './route-table.ts';
import { settling, type PerformanceTracker } from './track-performance.ts';

/** How one request is measured. */
export interface RequestOptions {
  /**
   * A pattern, `GET /users/:id`, never an address. If it is known only later, the work sets `request.route`.
   */
  readonly route: string;
  readonly id?: string | undefined;
  /** @default slowRequestMs */
  readonly thresholdMs?: number | undefined;
  /** What is beyond it is announced as `route:over-budget`. */
  readonly budget?: QueryBudget | undefined;
  /** Also rejects with QueryBudgetError once the work is done. For development. @default false */
  readonly enforceBudget?: boolean | undefined;
}

/** Everything that is known, at one moment. */
export interface MetricsSnapshot {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Since metrics were created or reset. */
  readonly measuredMs: number;
  readonly databases: readonly DatabaseSnapshot[];
  readonly routes: readonly RouteSnapshot[];
  /** The newest first. */
  readonly suspects: readonly (NPlusOneSuspect & { readonly at: number })[];
  readonly eventLoop: EventLoopSnapshot;
}

/** Counts what databases and routes do, in bounded memory. */
export class Metrics {
  readonly #options: ResolvedMetricsOptions;
  readonly #requests = new AsyncLocalStorage<MeasuredRequest>();
  readonly #announcements = new Announcements();
  readonly #detector: NPlusOneDetector;
  readonly #databases = new Map<ObservedDatabase, DatabaseMetrics>();
  readonly #caches = new Map<string, ObservedCache>();
  readonly #routes: RouteTable;
  readonly #suspects: Recent<NPlusOneSuspect & { readonly at: number }>;
  readonly #eventLoop = new EventLoopProbe();
  #sinceMs = systemClock.now();
  #requestCount = 0;
  #failedCount = 0;

  /** @throws ConfigError listing every fault */
  constructor(options: MetricsOptions = {}) {
    this.#options = resolveMetricsOptions(options);
    this.#detector = new NPlusOneDetector(this.#options.nPlusOneThreshold);
    this.#routes = new RouteTable(this.#options.maxRoutes);
    this.#suspects = new Recent(this.#options.maxRecent);
    this.#eventLoop.start();
  }

  /**
   * Counts what the database does from now on.
   * @returns a function that stops it and forgets the figures
   * @throws UsageError where another of that name is watched: their figures could not be told apart
   */
  watch(database: ObservedDatabase): () => void {
    const stop = () => {
      this.#databases.get(database)?.stop();
      this.#databases.delete(database);
    };
    if (this.#databases.has(database)) return stop;
    if ([...this.#databases.keys()].some(({ name }) => name === database.name)) {
      throw new UsageError(
        `A database named "${database.name}" is watched already: give this one a name of its own.`,
      );
    }
    const { maxStatements, maxRecent } = this.#options;
    const parts = {
      database,
      maxStatements,
      maxRecent,
      detector: this.#detector,
      now: () => systemClock.now(),
      currentRequest: () => this.#requests.getStore(),
      onSuspect: (suspect: NPlusOneSuspect) => this.#suspected(suspect, announcerOf(database)),
    };
    this.#databases.set(database, new DatabaseMetrics(parts));
    return stop;
  }

  /** Exports a cache's figures with the others. @returns a function that stops it */
  watchCache(name: string, cache: ObservedCache): () => void {
    this.#caches.set(name, cache);
    return () => void this.#caches.delete(name);
  }

  /** @returns a function that removes the listener. A listener that throws does no harm to others. */
  on<Name extends MetricsEventName>(name: Name, listener: (event: MetricsEvents[Name]) => void): () => void {
    return this.#announcements.on(name, listener);
  }

  /**
   * Runs `work` as one request: statements inside, in every async flow that begins there, count for it.
   * Counts it under its route when the work has settled; as an error when it rejected or set
   * `request.failed`.
   * @throws what the work rejects with; QueryBudgetError with `enforceBudget`
   */
  async runInRequest<T>(
    options: RequestOptions,
    work: (request: MeasuredRequest) => T | Promise<T>,
  ): Promise<T> {
    const request = this.startRequest(options.route, options.id);
    let result: T;
    try {
      result = await this.inRequest(request, () => work(request));
    } catch (error) {
      request.failed = true;
      this.endRequest(request, options);
      throw error;
    }
    this.endRequest(request, options);
    if (options.enforceBudget === true && options.budget !== undefined) {
      assertWithinBudget(request.route, request.usage, options.budget);
    }
    return result;
  }

  /**
   * For servers that are no promise: what `runInRequest` does, in its three steps. To be ended once.
   * @param startedAtMs by `performance.now()`
   */
  startRequest(route: string, id?: string, startedAtMs: number = systemClock.now()): MeasuredRequest {
    return new MeasuredRequest(route, id, startedAtMs);
  }

  /** Statements in `work`, and in every async flow that begins there, count for the request. */
  inRequest<T>(request: MeasuredRequest, work: () => T): T {
    return this.#requests.run(request, work);
  }

  /**
   * Counts it under its route; as an error where `request.failed` is set.
   * @param endedAtMs by `performance.now()`
   */
  endRequest(
    request: MeasuredRequest,
    {
      thresholdMs = this.#options.slowRequestMs,
      budget,
    }: Pick<RequestOptions, 'thresholdMs' | 'budget'> = {},
    endedAtMs: number = systemClock.now(),
  ): void {
    const { route, failed } = request;
    const durationMs = endedAtMs - request.startedAtMs;
    this.recordRequest({ route, durationMs, failed, thresholdMs, usage: request });
    if (budget === undefined) return;
    const { usage } = request;
    const faults = overBudget(usage, budget);
    if (faults.length === 0) return;
    this.#routes.wasOverBudget(route);
    this.#announcements.emit('route:over-budget', { route, usage, faults });
    this.#options.log?.warn({ event: 'route:over-budget', route, ...usage }, faults.join('; '));
  }

  /** The request of the running async flow. */
  currentRequest(): MeasuredRequest | undefined {
    return this.#requests.getStore();
  }

  /** Counts a request that was measured elsewhere. */
  recordRequest(ended: EndedRequest): void {
    this.#requestCount += 1;
    if (ended.failed) this.#failedCount += 1;
    if (!this.#routes.ended(ended)) return;
    const { route, durationMs, thresholdMs } = ended;
    this.#announcements.emit('route:slow', { route, durationMs, thresholdMs });
    this.#options.log?.warn({ event: 'route:slow', route, durationMs, thresholdMs }, 'slow route');
  }

  /**
   * Measures a function under its name: `metrics.trackPerformance(200)(listNotes)`, or, as a decorator, a
   * method. Calls that last longer than the threshold, in milliseconds, are announced as `route:slow`.
   */
  trackPerformance(thresholdMs: number, name?: string): PerformanceTracker {
    const record = (ended: EndedRequest) => this.recordRequest(ended);
    return (work, context) => {
      const route = name ?? (context === undefined ? work.name || 'anonymous' : String(context.name));
      return function tracked(...parameters) {
        const startedAtMs = systemClock.now();
        const ended = (failed: boolean) =>
          record({ route, durationMs: systemClock.now() - startedAtMs, failed, thresholdMs });
        return settling(() => work.apply(this, parameters), ended);
      };
    };
  }

  snapshot(): MetricsSnapshot {
    return {
      at: Date.now(),
      measuredMs: systemClock.now() - this.#sinceMs,
      databases: [...this.#databases.values()].map((database) => database.snapshot()),
      routes: this.#routes.snapshot(),
      suspects: this.#suspects.list(),
      eventLoop: this.#eventLoop.snapshot(),
    };
  }

  /** The same as figures with names and labels, as exporters need them. */
  families(): MetricFamily[] {
    return metricFamilies({
      databases: [...this.#databases.values()],
      routes: this.#routes.records(),
      caches: this.#caches,
      eventLoop: this.#eventLoop.snapshot(),
    });
  }

  /** A statement's text as it was sent, for EXPLAIN: it may hold literals. Undefined where none was kept. */
  sampleOf(database: string, statement: string): string | undefined {
    const found = [...this.#databases.values()].find((one) => one.database.name === database);
    return found?.findStatement(statement)?.sample;
  }

  /** Since its creation, for those who take differences: of all statements of all databases. */
  durationsByDatabase(): ReadonlyMap<string, DurationHistogram> {
    return new Map([...this.#databases.values()].map((one) => [one.database.name, one.durations]));
  }

  /** Requests that ended since creation, for those who take differences. */
  requestTotals(): { readonly requests: number; readonly failed: number } {
    return { requests: this.#requestCount, failed: this.#failedCount };
  }

  /** Forgets what was counted of statements, routes and suspects. The databases' own counters go on. */
  reset(): void {
    for (const database of this.#databases.values()) database.reset();
    this.#routes.clear();
    this.#suspects.clear();
    this.#detector.clear();
    this.#eventLoop.reset();
    this.#sinceMs = systemClock.now();
  }

  /** Stops listening and measuring. Figures that were taken stay readable. */
  close(): void {
    for (const database of this.#databases.values()) database.stop();
    this.#eventLoop.stop();
  }

  /** It is the database's event too, and the database publishes it on the channel. */
  #suspected(suspect: NPlusOneSuspect, database: Announcer | undefined): void {
    this.#suspects.add({ at: Date.now(), ...suspect });
    if (database === undefined) this.#announcements.emit('query:n-plus-one', suspect);
    else this.#announcements.tell('query:n-plus-one', suspect);
    database?.emit('query:n-plus-one', suspect);
    this.#options.log?.warn({ event: 'query:n-plus-one', ...suspect }, 'a query in a loop');
  }
}
