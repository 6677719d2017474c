import { LRUCache } from 'lru-cache';

/** What a limiter says of one request. */
export interface Taken {
  readonly allowed: boolean;
  /** How many more would be allowed now. */
  readonly remaining: number;
  /** When the next place comes free, in milliseconds from now. */
  readonly freeInMs: number;
}

export interface WindowPolicy {
  readonly limit: number;
  readonly windowMs: number;
}

/** Where the requests of clients are counted. */
export interface RateLimitStore {
  take(key: string, policy: WindowPolicy): Taken | Promise<Taken>;
}

export interface SlidingWindowOptions {
  /** Clients that are remembered. @default 50_000 */
  readonly maxKeys?: number | undefined;
  readonly now?: (() => number) | undefined;
}

/** The times of a client's requests in the window, the oldest at `start`. */
interface Log {
  times: number[];
  start: number;
}

/**
 * Counts in the memory of this process, exactly: in no stretch of time as long as the window are more
 * requests allowed than the limit, wherever it begins. Refused ones do not count. Costs 8 bytes for each
 * request in the window.
 */
export class SlidingWindow implements RateLimitStore {
  readonly #now: () => number;
  /** The client that was silent for longest is forgotten for a new one. */
  readonly #logs: LRUCache<string, Log>;

  constructor({ maxKeys = 50_000, now = () => performance.now() }: SlidingWindowOptions = {}) {
    this.#now = now;
    this.#logs = new LRUCache({ max: maxKeys });
  }

  /** Clients that are remembered. */
  get size(): number {
    return this.#logs.size;
  }

  take(key: string, { limit, windowMs }: WindowPolicy): Taken {
    const now = this.#now();
    const log = this.#logOf(key);
    while (log.start < log.times.length && log.times[log.start]! <= now - windowMs) log.start += 1;
    if (log.start > log.times.length / 2) {
      log.times = log.times.slice(log.start);
      log.start = 0;
    }
    const count = log.times.length - log.start;
    const allowed = count < limit;
    if (allowed) log.times.push(now);
    return {
      allowed,
      remaining: allowed ? limit - count - 1 : 0,
      freeInMs: log.times[log.start]! + windowMs - now,
    };
  }

  #logOf(key: string): Log {
    const known = this.#logs.get(key);
    if (known !== undefined) return known;
    const log: Log = { times: [], start: 0 };
    this.#logs.set(key, log);
    return log;
  }
}
