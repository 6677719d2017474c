import { Writable } from 'node:stream';
import { runInRootContext, systemClock, waitAtMost, type Clock, type Timer } from '../async/index.ts';
import { sendBulk } from './elastic-bulk.ts';
import {
  resolveElasticOptions,
  type ElasticShipperOptions,
  type ResolvedElasticOptions,
} from './elastic-options.ts';
import { LineQueue } from './line-queue.ts';
import { LineSplitter } from './line-splitter.ts';

/** `written = shipped + dropped + refused + waiting`. */
export interface ElasticShipperStats {
  /** Lines that were given to the stream. */
  readonly written: number;
  /** Lines that Elasticsearch took. */
  readonly shipped: number;
  /** Lines lost because too many waited, or because they were too long, or left when it was closed. */
  readonly dropped: number;
  /** Lines that Elasticsearch will never take: they do not fit the index. */
  readonly refused: number;
  /** Lines that wait or are under way, and their bytes. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Requests that failed and were, or will be, tried again. */
  readonly failedRequests: number;
  /** Why the last one failed: a status or a code, never an address or a secret. */
  readonly lastFailure?: string;
}

/** What a shipper is built on; replaced by tests. */
export interface ElasticShipperParts {
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
}

/** @throws ConfigError listing every fault */
export function createElasticShipper(
  options: ElasticShipperOptions,
  parts: ElasticShipperParts = {},
): ElasticShipper {
  return new ElasticShipper(resolveElasticOptions(options), parts);
}

const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Ships lines of JSON to Elasticsearch through its bulk endpoint, one request at a time, in order. What waits
 * is bounded; what is lost is counted. While Elasticsearch is away, that is all it costs the application.
 */
export class ElasticShipper {
  /**
   * For pino, or to pipe into. Lines end with a line feed, wherever chunks do; the last one, when it is
   * closed.
   */
  readonly stream: Writable;
  readonly #options: ResolvedElasticOptions;
  readonly #fetch: typeof fetch;
  readonly #clock: Clock;
  readonly #splitter: LineSplitter;
  readonly #queue: LineQueue;
  readonly #ending = new AbortController();
  #held: (() => void) | undefined;
  #timer: Timer | undefined;
  #sending: Promise<void> | undefined;
  #failures = 0;
  #shipped = 0;
  #refused = 0;
  #failedRequests = 0;
  #lastFailure: string | undefined;

  constructor(options: ResolvedElasticOptions, parts: ElasticShipperParts) {
    this.#options = options;
    this.#fetch = parts.fetch ?? fetch;
    this.#clock = parts.clock ?? systemClock;
    this.#queue = new LineQueue(options);
    this.#splitter = new LineSplitter(options.maxBatchBytes);
    this.stream = new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, taken) => this.#write(chunk, taken),
      final: (ended) => void this.close().then(() => ended(), ended),
    });
  }

  stats(): ElasticShipperStats {
    return {
      written: this.#queue.written,
      shipped: this.#shipped,
      dropped: this.#queue.dropped,
      refused: this.#refused,
      waiting: this.#queue.length,
      waitingBytes: this.#queue.bytes,
      failedRequests: this.#failedRequests,
      ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }),
    };
  }

  /** Ships what waits, as far as Elasticsearch answers; lines that could not be shipped keep waiting. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#send();
  }

  /** Ships what waits for up to `timeoutMs`, counts the rest as dropped, and takes nothing more. */
  async close({ timeoutMs = CLOSE_TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    for (const line of this.#splitter.end()) this.#queue.add(line);
    await waitAtMost(timeoutMs, this.flush());
    this.#ending.abort();
    this.#timer?.cancel();
    await this.#sending;
    this.#queue.close();
    this.#letIn();
  }

  #write(chunk: string | Buffer, taken: () => void): void {
    for (const line of this.#splitter.linesOf(chunk)) this.#queue.add(line);
    this.#schedule(this.#queue.hasBatch ? 0 : this.#options.flushMs);
    // Nothing more comes while the callback is held: whoever pipes waits.
    if (this.#options.whenFull === 'wait' && this.#queue.isFull) this.#held = taken;
    else taken();
  }

  #schedule(delayMs: number): void {
    if (this.#sending !== undefined || this.#timer !== undefined || this.#ending.signal.aborted) return;
    if (this.#queue.length === 0) return;
    this.#timer = runInRootContext(() =>
      this.#clock.after(this.#failures === 0 ? delayMs : this.#pauseMs(), () => {
        this.#timer = undefined;
        void this.#send();
      }),
    );
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      this.#schedule(this.#options.flushMs);
    });
    return this.#sending;
  }

  /** Until nothing waits, or a request fails. */
  async #sendAll(): Promise<void> {
    const { signal } = this.#ending;
    const request = { ...this.#options, fetch: this.#fetch, signal };
    while (this.#queue.length > 0 && !signal.aborted) {
      const lines = this.#queue.take();
      const { retry, refused, isTooLarge = false, failure } = await sendBulk(lines, request);
      if (isTooLarge) this.#queue.halve();
      this.#queue.settle(retry);
      this.#shipped += lines.length - retry.length - refused;
      this.#refused += refused;
      this.#letIn();
      if (failure !== undefined) this.#lastFailure = failure;
      if (retry.length === 0 || isTooLarge) {
        this.#failures = 0;
      } else {
        this.#failures += 1;
        this.#failedRequests += 1;
        return;
      }
    }
  }

  #letIn(): void {
    if (this.#queue.isFull) return;
    const held = this.#held;
    this.#held = undefined;
    held?.();
  }

  /** A random time between half of the pause and all of it: many processes must not come back together. */
  #pauseMs(): number {
    const { retryMinMs, retryMaxMs } = this.#options;
    const pauseMs = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(this.#failures - 1, 20));
    return pauseMs * (0.5 + Math.random() / 2);
  }
}
