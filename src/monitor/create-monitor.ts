import { Access, isMeant } from './access.ts';
import { answerError } from './answers.ts';
import { endpointsOf, type Endpoints } from './endpoints.ts';
import { LiveFeed } from './live-feed.ts';
import {
  resolveMonitorOptions,
  type MonitorOptions,
  type ResolvedMonitorOptions,
} from './monitor-options.ts';
import { readState } from './monitor-state.ts';
import { Sampler } from './sampler.ts';

const NOT_MEANT =
  'A change needs the header X-Millpond-Monitor and comes from the page itself; proxies must pass Host on.';

/**
 * The pages and endpoints of a monitor, for any server that speaks `Request` and `Response`.
 * @throws ConfigError listing every fault; also where nothing says who may see them
 */
export function createMonitor(options: MonitorOptions): Monitor {
  return new Monitor(resolveMonitorOptions(options, process.env));
}

/** Answers what is asked under `basePath`. To be closed with the server. */
export class Monitor {
  readonly basePath: string;
  readonly #access: Access;
  readonly #feed: LiveFeed;
  readonly #endpoints: Endpoints;
  readonly #stops: (() => void)[] = [];

  constructor(options: ResolvedMonitorOptions) {
    const { metrics, databases, caches, sampleMs, maxSamples, maxClients } = options;
    this.basePath = options.basePath;
    for (const database of databases) this.#stops.push(metrics.watch(database));
    for (const cache of caches) this.#stops.push(metrics.watchCache(cache.name, cache));
    this.#access = new Access(options);
    this.#feed = new LiveFeed({
      sampler: new Sampler({ metrics, databases, caches }),
      readState: () => readState(options),
      sampleMs,
      maxSamples,
      maxClients,
    });
    this.#endpoints = endpointsOf(options, this.#feed);
  }

  /** Pages that are open now. */
  get clients(): number {
    return this.#feed.clients;
  }

  /**
   * Never rejects. What is not under `basePath` is answered with 404, to those who may know.
   *
   * @param client the address that asks, if the server knows it: an `open` monitor answers this machine alone
   */
  async handle(request: Request, client?: string): Promise<Response> {
    // Before anything else: whoever may not see the pages learns nothing, not even which pages there are.
    const refusal = await this.#access.refuse(request, client);
    if (refusal !== undefined) return refusal;
    const endpoint = this.#find(new URL(request.url).pathname);
    if (endpoint === undefined) return answerError(404, 'There is no such page.');
    const handler = endpoint[request.method as 'GET' | 'POST'];
    if (handler === undefined || !Object.hasOwn(endpoint, request.method)) {
      return answerError(405, 'Not with this method.', { allow: Object.keys(endpoint).join(', ') });
    }
    if (request.method !== 'GET' && !isMeant(request)) {
      return answerError(403, NOT_MEANT);
    }
    try {
      return await handler(request);
    } catch {
      // A page must not show what a database said; the application's own logs have that.
      return answerError(500, 'That failed.');
    }
  }

  /** Ends the streams of open pages and stops measuring; the metrics go on. May be called again. */
  close(): void {
    this.#feed.close();
  }

  #find(pathname: string): Endpoints[string] | undefined {
    if (pathname !== this.basePath && !pathname.startsWith(`${this.basePath}/`)) return undefined;
    const path = pathname.slice(this.basePath.length).replace(/\/$/, '');
    return Object.hasOwn(this.#endpoints, path) ? this.#endpoints[path] : undefined;
  }
}
