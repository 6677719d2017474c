import { runInRootContext, type Clock, type Timer } from '../async/index.ts';
import type { ResolvedHealthCheckSettings } from '../config/index.ts';
import type { Announcer } from '../events/index.ts';

export interface HealthMonitorParts {
  readonly settings: ResolvedHealthCheckSettings;
  readonly announce: Announcer;
  readonly clock: Clock;
  /** Rejects with the reason why the database does not answer. */
  check(): Promise<void>;
  /** Drops stale connections, so that the next check opens new ones; absent where none can be opened. */
  readonly reconnect: (() => void) | undefined;
}

/** The result of the last check. */
export interface HealthCheckResult {
  readonly side: 'primary' | 'replica';
  readonly status: 'up' | 'down';
  readonly latencyMs: number;
  readonly error?: Error;
  /** Of a replica: `host:port`. */
  readonly server?: string;
  /** Of a replica: how far it is behind the primary, at least. */
  readonly lagMs?: number;
}

/** Checks the database at an interval, and announces when it stops or begins to answer. */
export class HealthMonitor {
  readonly #parts: HealthMonitorParts;
  #timer: Timer | undefined;
  #stopped = false;
  #isUp = true;

  constructor(parts: HealthMonitorParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#parts.settings.enabled) this.#schedule(this.#parts.settings.intervalMs, 0);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Checks now. Never rejects. */
  async check(): Promise<HealthCheckResult> {
    const startedAt = this.#parts.clock.now();
    try {
      await this.#parts.check();
      this.#note(undefined);
      return { side: 'primary', status: 'up', latencyMs: this.#parts.clock.now() - startedAt };
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.#note(error);
      return { side: 'primary', status: 'down', latencyMs: this.#parts.clock.now() - startedAt, error };
    }
  }

  #schedule(delayMs: number, attempt: number): void {
    if (this.#stopped) return;
    this.#timer = runInRootContext(() => this.#parts.clock.after(delayMs, () => void this.#run(attempt)));
  }

  /** One check of the interval (attempt 0), or one of the retries after a failed one. */
  async #run(attempt: number): Promise<void> {
    const { intervalMs, maxRetries, retryIntervalMs } = this.#parts.settings;
    const reconnect = this.#parts.settings.reconnect ? this.#parts.reconnect : undefined;
    const { status } = await this.check();
    if (status === 'up' || reconnect === undefined || attempt >= maxRetries)
      return this.#schedule(intervalMs, 0);
    if (this.#stopped) return;
    this.#parts.announce.emit('health:reconnecting', {
      side: 'primary',
      attempt: attempt + 1,
      delayMs: retryIntervalMs,
    });
    reconnect();
    this.#schedule(retryIntervalMs, attempt + 1);
  }

  #note(error: Error | undefined): void {
    const isUp = error === undefined;
    if (isUp === this.#isUp || this.#stopped) return;
    this.#isUp = isUp;
    if (error === undefined) this.#parts.announce.emit('health:up', { side: 'primary' });
    else this.#parts.announce.emit('health:down', { side: 'primary', error });
  }
}
