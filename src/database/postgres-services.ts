import type { ResolvedPostgresConfig } from '../config/index.ts';
import {
  acquireWithin,
  type CallOptions,
  type CopySource,
  type LeaseSource,
  type RunResult,
} from '../driver/index.ts';
import type { Announcer } from '../events/index.ts';
import {
  NotificationHub,
  type ListenHandler,
  type ListenOptions,
  type PostgresConnection,
  type PostgresEngine,
  type Subscription,
} from '../postgres/index.ts';

/** A dead link, which is silent, is found within this time. */
const LONGEST_PING_MS = 30_000;

/** Makes what listens for notifications, on connections that `connect` opens. */
export function createHub(
  { pool: { createTimeoutMs, keepaliveMs }, postgres: { throughPooler } }: ResolvedPostgresConfig,
  announce: Announcer,
  connect: (signal: AbortSignal) => Promise<PostgresConnection['link']>,
): NotificationHub {
  return new NotificationHub({
    connect,
    answerTimeoutMs: createTimeoutMs,
    throughPooler,
    pingMs: keepaliveMs === 0 ? LONGEST_PING_MS : Math.min(keepaliveMs, LONGEST_PING_MS),
    onGap: (channel, reason) => announce.emit('listen:gap', { channel, reason }),
    reportError: (error) => announce.emit('listen:error', { error: error as Error }),
  });
}

export interface PostgresServicesParts {
  readonly config: ResolvedPostgresConfig;
  readonly engine: PostgresEngine;
  readonly source: LeaseSource<PostgresConnection>;
  readonly announce: Announcer;
}

/** What PostgreSQL offers beside statements: COPY and notifications. */
export class PostgresServices {
  readonly #parts: PostgresServicesParts;
  readonly #hub: NotificationHub;

  constructor(parts: PostgresServicesParts) {
    this.#parts = parts;
    this.#hub = createHub(parts.config, parts.announce, (signal) => this.openLink(signal));
  }

  /** A connection of its own, for listening. */
  async openLink(signal: AbortSignal): Promise<PostgresConnection['link']> {
    return (await this.#parts.engine.connect('connection', signal)).link;
  }

  async copyIn(text: string, source: CopySource, options: CallOptions): Promise<RunResult> {
    const { resource, release } = await this.#lease(options, true);
    try {
      return await resource.copyIn(text, source, options);
    } finally {
      release();
    }
  }

  async *copyOut(text: string, options: CallOptions): AsyncGenerator<Uint8Array, undefined> {
    const { resource, release } = await this.#lease(options, false);
    try {
      yield* resource.copyOut(text, options);
      return undefined;
    } finally {
      release();
    }
  }

  listen(channel: string, handler: ListenHandler | undefined, options: ListenOptions): Promise<Subscription> {
    return this.#hub.listen(channel, handler, options);
  }

  async close(): Promise<void> {
    await this.#hub.close();
  }

  async #lease(
    { name, signal, timeoutMs }: CallOptions,
    mayWrite: boolean,
  ): Promise<{ resource: PostgresConnection; release: () => void }> {
    const limits = { name, signal, mayWrite, startedAt: performance.now() };
    const { queryTimeoutMs } = this.#parts.config;
    const lease = await acquireWithin(
      this.#parts.source,
      { ...limits, timeoutMs: timeoutMs ?? queryTimeoutMs },
      name ?? 'copy',
    );
    const { resource } = lease;
    return { resource, release: () => lease.release(resource.usable ? 'reuse' : 'discard') };
  }
}
