import { runInRootContext, type Clock } from '../async/index.ts';
import { ConnectionError, MillpondError } from '../errors/index.ts';
import type { ResourceFactory } from './factory.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import { withinLimit } from './time-limit.ts';

interface OpenerParts<Resource> {
  readonly name: string;
  readonly factory: ResourceFactory<Resource>;
  readonly options: ResolvedPoolOptions;
  readonly clock: Clock;
  readonly random: () => number;
  /** Takes over an attempt that was given up: what it may still bring must be destroyed. */
  readonly giveUp: (attempt: Promise<Resource>) => void;
}

/**
 * Opens resources, each attempt within `createTimeoutMs`. After a failure there is one attempt at a time,
 * after a random delay whose range doubles each time ("full jitter"), so that many processes do not hit a
 * recovering server at once: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export class Opener<Resource> {
  readonly #parts: OpenerParts<Resource>;
  readonly #running = new Set<AbortController>();
  #failures = 0;
  #lastError: MillpondError | undefined;
  #retryAtMs = -Infinity;

  constructor(parts: OpenerParts<Resource>) {
    this.#parts = parts;
  }

  /** Attempts that failed since the last success. */
  get failures(): number {
    return this.#failures;
  }

  get lastError(): MillpondError | undefined {
    return this.#lastError;
  }

  /** When the next attempt may begin; in the past while all is well. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** @throws ConnectionError, or the factory's own MillpondError: it failed, took too long or was aborted. */
  async open(): Promise<Resource> {
    const { name, factory, options, clock } = this.#parts;
    const controller = new AbortController();
    const { signal } = controller;
    const before = this.#failures;
    this.#running.add(controller);
    const attempt = runInRootContext(async () => factory.create(signal));
    const limitMs = options.createTimeoutMs;
    const late = () =>
      retryable(`Pool "${name}" could not open a connection within ${limitMs} ms (pool.createTimeoutMs).`);
    try {
      const resource = await withinLimit(attempt, { clock, limitMs, late, signal, keepAlive: true });
      // Dead on arrival is a failure like any other: without the pause after it, opening would never stop.
      if (factory.isUsable?.(resource) === false)
        throw retryable(`Pool "${name}" lost a connection while opening it.`);
      this.#failures = 0;
      this.#lastError = undefined;
      this.#retryAtMs = -Infinity;
      return resource;
    } catch (error) {
      this.#parts.giveUp(attempt);
      const failure = toConnectionError(name, error);
      // Attempts that began together and fail together count as one failure.
      if (!signal.aborted && this.#failures === before) this.#backOff(failure);
      controller.abort(failure);
      throw failure;
    } finally {
      this.#running.delete(controller);
    }
  }

  /** Ends every attempt under way with `reason`. */
  abortAll(reason: MillpondError): void {
    for (const controller of this.#running) controller.abort(reason);
  }

  #backOff(error: MillpondError): void {
    const { options, clock, random } = this.#parts;
    const rangeMs = Math.min(options.createRetryMaxMs, options.createRetryMinMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#lastError = error;
    this.#retryAtMs = clock.now() + rangeMs * random();
  }
}

function toConnectionError(name: string, error: unknown): MillpondError {
  if (error instanceof MillpondError) return error;
  // Only in `cause`: what a driver writes into its messages is not ours to repeat.
  return retryable(`Pool "${name}" could not open a connection.`, error);
}

/** Nothing was sent to the database yet, so whoever asked may ask again. */
function retryable(message: string, cause?: unknown): ConnectionError {
  return new ConnectionError(message, { cause, retryable: true });
}
