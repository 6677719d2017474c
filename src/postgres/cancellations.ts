import type { Exchange } from './exchange.ts';

/** A cancelled exchange without an answer for this long: the connection is given up. */
const QUARANTINE_MS = 3_000;

export interface CancellationsParts {
  /** Asks the server, on a connection of its own, to stop what this connection's process does. */
  request(): Promise<void>;
  /** Until the returned function is called, nothing is sent. */
  hold(): () => void;
  /** A statement that nothing stops, or a server that does not answer: the connection is of no use. */
  giveUp(error: Error): void;
}

/** An exchange that is to be stopped. */
interface Cancellation {
  readonly ended: PromiseWithResolvers<void>;
  readonly release: () => void;
  /** Set when the server was asked: what runs before it takes its own time. */
  timer: NodeJS.Timeout | undefined;
}

/**
 * The exchanges of one connection that are to be stopped. The server's request says which process, not which
 * statement: it is sent when the server works on the one that is meant, and nothing else is sent until it
 * has been carried out and that one has ended.
 */
export class Cancellations {
  readonly #parts: CancellationsParts;
  readonly #underWay = new Map<Exchange, Cancellation>();
  readonly #bystanders = new WeakSet<Exchange>();

  constructor(parts: CancellationsParts) {
    this.#parts = parts;
  }

  /** @param unanswered what was sent, in order; the server works on the first */
  begin(exchange: Exchange, unanswered: readonly Exchange[]): void {
    if (this.#underWay.has(exchange)) return;
    for (const other of unanswered) if (other !== exchange) this.#bystanders.add(other);
    const ended = Promise.withResolvers<void>();
    this.#underWay.set(exchange, { ended, release: this.#parts.hold(), timer: undefined });
    this.#request(unanswered[0]);
  }

  /** Whether a request that was meant for another exchange may have hit this one. */
  mayHaveHit(exchange: Exchange): boolean {
    return this.#bystanders.has(exchange);
  }

  /** To be told of each answer. @param next what the server works on now */
  noteAnswered(exchange: Exchange, next: Exchange | undefined): void {
    if (this.#underWay.size === 0) return;
    this.#underWay.get(exchange)?.ended.resolve();
    this.#underWay.delete(exchange);
    this.#request(next);
  }

  /** The connection was lost, and with it what was to be stopped. */
  clear(): void {
    for (const { timer } of this.#underWay.values()) clearTimeout(timer);
    this.#underWay.clear();
  }

  #request(exchange: Exchange | undefined): void {
    const cancellation = exchange === undefined ? undefined : this.#underWay.get(exchange);
    if (cancellation === undefined || cancellation.timer !== undefined) return;
    const { ended, release } = cancellation;
    cancellation.timer = setTimeout(() => this.#giveUp(), QUARANTINE_MS).unref();
    // Both, in any order: a request still on its way would stop what comes next.
    void Promise.all([this.#parts.request(), ended.promise]).then(() => {
      clearTimeout(cancellation.timer);
      release();
    });
  }

  #giveUp(): void {
    this.#parts.giveUp(new Error(`the server did not answer a cancellation within ${QUARANTINE_MS} ms`));
  }
}
