import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../config/index.ts';
import type { RateLimitStore, Taken, WindowPolicy } from './sliding-window.ts';

/** How long a store that failed is left alone: a dead one must not cost every request its time limit. */
const LEFT_ALONE_MS = 1_000;
const OUT_OF_TIME = Symbol('out of time');

export interface StoreGuardOptions {
  readonly storeTimeoutMs?: number | undefined;
  readonly log?: Pick<Logger, 'warn'> | undefined;
}

/**
 * A store that may be slow, dead or wrong: in that case `spare` counts, so that the limit holds in each
 * process.
 */
export class StoreGuard implements RateLimitStore {
  readonly #store: RateLimitStore;
  readonly #spare: RateLimitStore;
  readonly #timeoutMs: number;
  readonly #log: StoreGuardOptions['log'];
  #leftAloneUntilMs = 0;

  constructor(
    store: RateLimitStore,
    spare: RateLimitStore,
    { storeTimeoutMs = 250, log }: StoreGuardOptions,
  ) {
    this.#store = store;
    this.#spare = spare;
    this.#timeoutMs = storeTimeoutMs;
    this.#log = log;
  }

  async take(key: string, policy: WindowPolicy): Promise<Taken> {
    if (performance.now() < this.#leftAloneUntilMs) return this.#spare.take(key, policy);
    try {
      return await this.#ask(key, policy);
    } catch (error) {
      this.#leaveAlone(error);
      return this.#spare.take(key, policy);
    }
  }

  /** Told once, not by each request that waited for it. */
  #leaveAlone(error: unknown): void {
    const nowMs = performance.now();
    if (nowMs >= this.#leftAloneUntilMs) {
      const message = 'the store of a rate limit failed; this process counts alone meanwhile';
      this.#log?.warn({ err: error }, message);
    }
    this.#leftAloneUntilMs = nowMs + LEFT_ALONE_MS;
  }

  async #ask(key: string, policy: WindowPolicy): Promise<Taken> {
    const answered = new AbortController();
    const limit = sleep(this.#timeoutMs, OUT_OF_TIME, { signal: answered.signal });
    // Aborted when the store was faster.
    limit.catch(() => undefined);
    try {
      const taken = await Promise.race([this.#store.take(key, policy), limit]);
      if (taken !== OUT_OF_TIME) return taken;
      throw new Error(`The store did not answer within ${this.#timeoutMs} ms.`);
    } finally {
      answered.abort();
    }
  }
}
