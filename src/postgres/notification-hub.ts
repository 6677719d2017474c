import { runInRootContext } from '../async/index.ts';
import { ConnectionError, UsageError } from '../errors/index.ts';
import type { PostgresLink } from './link.ts';
import { ScriptExchange } from './script-exchange.ts';
import { Subscription, type ListenHandler } from './subscription.ts';
import { connectionLostError, translateFailure } from './translate-failure.ts';

export interface NotificationHubParts {
  /** Opens a connection that is the hub's own. Rejects when the signal aborts. */
  connect(signal: AbortSignal): Promise<PostgresLink>;
  /** Longest time that opening a connection, or any answer on it, may take, in ms. */
  readonly answerTimeoutMs: number;
  /** A pooler in between has no session to listen in. */
  readonly throughPooler: boolean;
  /** How often the server is asked whether it is still there, in ms: a dead link is silent. */
  readonly pingMs: number;
  /** Called at each gap of a channel. */
  readonly onGap: (channel: string, reason: 'reconnected' | 'overflow') => void;
  readonly reportError: (error: unknown) => void;
}

export interface ListenOptions {
  /** Most messages that may wait to be read; beyond that the oldest are dropped. @default 1_000 */
  readonly maxWaiting?: number | undefined;
}

const DEFAULT_MAX_WAITING = 1_000;
/** https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS (NAMEDATALEN) */
const LONGEST_CHANNEL_BYTES = 63;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5_000;
const CLOSE_TIMEOUT_MS = 500;

/**
 * All the listening of one database: one connection, opened with the first channel, and reopened when lost.
 */
export class NotificationHub {
  readonly #parts: NotificationHubParts;
  readonly #channels = new Map<string, Set<Subscription>>();
  /** Those that may have missed something, since the connection was lost. */
  readonly #behind = new Set<Subscription>();
  readonly #closed = new AbortController();
  #link: PostgresLink | undefined;
  #opening: Promise<PostgresLink> | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #retries = 0;

  constructor(parts: NotificationHubParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the server has confirmed: from then on every notification arrives, or a gap is reported.
   * @throws ConnectionError where there is no connection
   */
  async listen(
    channel: string,
    handler: ListenHandler | undefined,
    { maxWaiting = DEFAULT_MAX_WAITING }: ListenOptions = {},
  ): Promise<Subscription> {
    checkChannel(channel);
    if (handler !== undefined && typeof handler !== 'function') {
      throw new UsageError('db.listen takes a channel, then a function for its messages, then options.');
    }
    if (this.#parts.throughPooler) {
      throw new UsageError(
        'Listening needs a session of its own, and a pooler gives each transaction another one: ' +
          'listen on a database that is opened at the server itself.',
      );
    }
    if (this.#closed.signal.aborted) throw closedError();
    const subscription = new Subscription({
      channel,
      handler,
      maxWaiting,
      reportError: this.#parts.reportError,
      onOverflow: () => this.#parts.onGap(channel, 'overflow'),
      onClose: (closed) => this.#leave(closed),
    });
    // Before the connection is there: whoever opens it listens to all channels that are known then.
    this.#join(subscription);
    try {
      const link = await this.#open();
      await this.#run(link, `listen ${quoted(channel)}`);
    } catch (error) {
      this.#forget(subscription);
      if (this.#channels.size === 0) this.#disconnect();
      throw error;
    }
    return subscription;
  }

  /** Replaces the connection by a new one, as when another server has become the primary. */
  reconnect(): void {
    this.#link?.destroy(new Error('the server is another one now'));
  }

  /** Ends all subscriptions: their loops end, or reject with `error`. */
  async close(): Promise<void> {
    this.#closed.abort(closedError());
    for (const subscriptions of this.#channels.values()) {
      for (const subscription of subscriptions) subscription.end(undefined);
    }
    this.#channels.clear();
    this.#behind.clear();
    const link = this.#link;
    this.#stopTimers();
    this.#link = undefined;
    await this.#opening?.catch(() => undefined);
    await link?.close(CLOSE_TIMEOUT_MS);
  }

  #join(subscription: Subscription): void {
    const others = this.#channels.get(subscription.channel);
    if (others === undefined) this.#channels.set(subscription.channel, new Set([subscription]));
    else others.add(subscription);
  }

  /** @returns whether it was the last one of its channel */
  #forget(subscription: Subscription): boolean {
    this.#behind.delete(subscription);
    const others = this.#channels.get(subscription.channel);
    if (others?.delete(subscription) !== true || others.size > 0) return false;
    this.#channels.delete(subscription.channel);
    return true;
  }

  async #leave(subscription: Subscription): Promise<void> {
    if (!this.#forget(subscription)) return;
    if (this.#channels.size === 0) return this.#disconnect();
    // If it is lost, or somebody listens again in the meantime, there is nothing left to tell the server.
    await Promise.resolve();
    if (this.#link === undefined || this.#channels.has(subscription.channel)) return;
    await this.#run(this.#link, `unlisten ${quoted(subscription.channel)}`).catch(() => undefined);
  }

  #open(): Promise<PostgresLink> {
    if (this.#link !== undefined) return Promise.resolve(this.#link);
    clearTimeout(this.#retryTimer);
    this.#opening ??= runInRootContext(() => this.#openAnew());
    return this.#opening;
  }

  async #openAnew(): Promise<PostgresLink> {
    try {
      return await this.#connect();
    } catch (error) {
      // Whoever asked for it: those who listened before wait for the next attempt.
      if (this.#behind.size > 0 && !this.#closed.signal.aborted) this.#reconnectLater();
      throw error;
    } finally {
      this.#opening = undefined;
    }
  }

  async #connect(): Promise<PostgresLink> {
    const limit = AbortSignal.timeout(this.#parts.answerTimeoutMs);
    const link = await this.#parts.connect(AbortSignal.any([this.#closed.signal, limit]));
    try {
      this.#closed.signal.throwIfAborted();
      link.listener = {
        notified: (channel, payload, processId) => this.#notified(channel, payload, processId),
      };
      const channels = [...this.#channels.keys()];
      if (channels.length > 0) {
        await this.#run(link, channels.map((channel) => `listen ${quoted(channel)}`).join('; '));
      }
      this.#closed.signal.throwIfAborted();
    } catch (error) {
      link.destroy(new Error('the hub gave up'));
      throw error;
    }
    this.#link = link;
    this.#retries = 0;
    void link.lost.then((error) => this.#lost(link, error));
    this.#pingTimer = setInterval(() => this.#ping(link), this.#parts.pingMs);
    this.#reportGaps();
    // The last listener may have left while it was being opened.
    if (this.#channels.size === 0) this.#disconnect();
    return link;
  }

  #reportGaps(): void {
    const behind = [...this.#behind];
    this.#behind.clear();
    for (const subscription of behind) {
      subscription.deliver({ kind: 'gap', channel: subscription.channel, reason: 'reconnected' });
    }
    for (const channel of new Set(behind.map((one) => one.channel)))
      this.#parts.onGap(channel, 'reconnected');
  }

  #notified(channel: string, payload: string, processId: number): void {
    for (const subscription of this.#channels.get(channel) ?? []) {
      subscription.deliver({ kind: 'notification', channel, payload, processId });
    }
  }

  #lost(link: PostgresLink, error: Error): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    clearInterval(this.#pingTimer);
    if (this.#channels.size === 0 || this.#closed.signal.aborted) return;
    for (const subscriptions of this.#channels.values())
      for (const subscription of subscriptions) this.#behind.add(subscription);
    this.#parts.reportError(new ConnectionError('The connection that listens was lost.', { cause: error }));
    this.#reconnectLater();
  }

  /** Each wait is longer than the one before, and none is as long as another listener's. */
  #reconnectLater(): void {
    const rangeMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#retries, 10));
    this.#retries += 1;
    const delayMs = rangeMs / 2 + (Math.random() * rangeMs) / 2;
    // The loss was reported; an attempt that fails leads to the next one.
    this.#retryTimer = setTimeout(() => void this.#open().catch(() => undefined), delayMs);
  }

  #ping(link: PostgresLink): void {
    // One that does not answer is cut off by `run`, and reopened because of that loss.
    this.#run(link, 'select 1').catch(() => undefined);
  }

  #disconnect(): void {
    const link = this.#link;
    this.#link = undefined;
    this.#stopTimers();
    void link?.close(CLOSE_TIMEOUT_MS);
  }

  #stopTimers(): void {
    clearTimeout(this.#retryTimer);
    clearInterval(this.#pingTimer);
  }

  #run(link: PostgresLink, text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => link.destroy(new Error('the server does not answer')),
        this.#parts.answerTimeoutMs,
      );
      const exchange = new ScriptExchange({
        text,
        isBarrier: false,
        answered: (failure) => {
          clearTimeout(timer);
          if (failure === undefined) resolve();
          else reject(translateFailure(failure, { text, name: undefined, params: [] }));
        },
        lost: ({ error }) => {
          clearTimeout(timer);
          reject(connectionLostError(error));
        },
      });
      link.send(exchange);
    });
  }
}

function checkChannel(channel: unknown): void {
  if (typeof channel !== 'string' || channel === '' || channel.includes('\0')) {
    throw new UsageError('A channel is a name: a non-empty string.');
  }
  if (Buffer.byteLength(channel) <= LONGEST_CHANNEL_BYTES) return;
  throw new UsageError(
    `A channel's name has at most ${LONGEST_CHANNEL_BYTES} bytes; PostgreSQL cuts off the rest.`,
  );
}

function quoted(channel: string): string {
  return `"${channel.replaceAll('"', '""')}"`;
}

function closedError(): ConnectionError {
  return new ConnectionError('The database is closed.', { code: 'ERR_MILLPOND_CLOSED' });
}
