import { UsageError } from '../errors/index.ts';

/** What a listener of a channel receives. */
export type ListenMessage =
  | {
      readonly kind: 'notification';
      readonly channel: string;
      readonly payload: string;
      /** Of the server's process for the connection that notified. */
      readonly processId: number;
    }
  /**
   * Notifications may be missing here: the connection was lost and is back, or they came faster than they
   * were read. Reload whatever you derive from them.
   */
  | { readonly kind: 'gap'; readonly channel: string; readonly reason: 'reconnected' | 'overflow' };

export type ListenHandler = (message: ListenMessage) => void;

export interface SubscriptionParts {
  readonly channel: string;
  /** Takes each message as it comes; without it they wait to be read. */
  readonly handler: ListenHandler | undefined;
  /** Most messages that may wait. Beyond that the oldest are dropped, and a gap is reported. */
  readonly maxWaiting: number;
  readonly reportError: (error: unknown) => void;
  readonly onOverflow: () => void;
  readonly onClose: (subscription: Subscription) => Promise<void>;
}

/**
 * One listener of one channel, until it is closed: by `close`, at the end of `await using`, or of its loop.
 */
export class Subscription implements AsyncIterableIterator<ListenMessage>, AsyncDisposable {
  readonly channel: string;
  readonly #parts: SubscriptionParts;
  #waiting: ListenMessage[] = [];
  #isOverflown = false;
  #isClosed = false;
  #failure: { readonly error: Error } | undefined;
  #wake: () => void = () => {};

  constructor(parts: SubscriptionParts) {
    this.channel = parts.channel;
    this.#parts = parts;
  }

  async next(): Promise<IteratorResult<ListenMessage, undefined>> {
    if (this.#parts.handler !== undefined) {
      throw new UsageError('This channel was listened to with a handler: it gets the messages.');
    }
    while (this.#waiting.length === 0 && !this.#isOverflown && !this.#isClosed) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const message = this.#take();
    if (message !== undefined) return { done: false, value: message };
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<ListenMessage, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Stops listening. Never rejects; a second call does nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.end(undefined);
    this.#waiting = [];
    this.#isOverflown = false;
    await this.#parts.onClose(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** For the hub alone. */
  deliver(message: ListenMessage): void {
    if (this.#isClosed) return;
    const { handler, maxWaiting, reportError, onOverflow } = this.#parts;
    if (handler !== undefined) {
      try {
        handler(message);
      } catch (error) {
        reportError(error);
      }
      return;
    }
    if (this.#waiting.length >= maxWaiting) {
      this.#waiting = [];
      this.#isOverflown = true;
      onOverflow();
    }
    this.#waiting.push(message);
    this.#wake();
  }

  /** For the hub alone: nothing more will come. */
  end(error: Error | undefined): void {
    this.#isClosed = true;
    if (error !== undefined) this.#failure = { error };
    this.#wake();
  }

  #take(): ListenMessage | undefined {
    if (!this.#isOverflown) return this.#waiting.shift();
    this.#isOverflown = false;
    return { kind: 'gap', channel: this.channel, reason: 'overflow' };
  }
}
