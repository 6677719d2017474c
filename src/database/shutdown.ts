import { Server } from 'node:net';
import { waitAtMost } from '../async/index.ts';
import { ServerDrain } from './server-drain.ts';
import { Database } from './database.ts';

/** What a shutdown closes: a server, anything with `close()`, or a function. */
export type Closeable = Server | { close(): unknown } | (() => unknown);

export interface ShutdownParts {
  /** For all of them together. */
  readonly timeoutMs: number;
  /** For each that is not a database. */
  readonly stepTimeoutMs: number;
  readonly closeables: readonly Closeable[];
  /** What is closed last, all at once: asked for when it is their turn. */
  readonly databases: () => readonly Database[];
  /** Is told what went wrong; the shutdown goes on. */
  readonly onFailure: (error: unknown, what: string) => void;
}

/** For the end of a database's connections, over the limit that `close()` is given. */
const DATABASE_END_MS = 2_500;

/** Closes everything once, in order, in bounded time. */
export class Shutdown {
  readonly #parts: ShutdownParts;
  readonly #drains = new Map<Server, ServerDrain>();
  readonly #beginning = new AbortController();
  #running: Promise<boolean> | undefined;
  #deadlineMs = Infinity;
  #clean = true;

  constructor(parts: ShutdownParts) {
    this.#parts = parts;
    for (const closeable of parts.closeables) {
      if (closeable instanceof Server) this.#drains.set(closeable, new ServerDrain(closeable));
    }
  }

  /** Aborted, with what it is for, when the shutdown begins. */
  get signal(): AbortSignal {
    return this.#beginning.signal;
  }

  /**
   * Closes all, after `delayMs`. A second call is the same shutdown. Never rejects.
   * @returns whether all was closed, and in time
   */
  run(reason: unknown, delayMs: number): Promise<boolean> {
    this.#running ??= this.#run(reason, delayMs);
    return this.#running;
  }

  /** Forgets the servers, which go on. */
  off(): void {
    for (const drain of this.#drains.values()) drain.off();
  }

  async #run(reason: unknown, delayMs: number): Promise<boolean> {
    this.#deadlineMs = performance.now() + delayMs + this.#parts.timeoutMs;
    this.#beginning.abort(reason);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    for (const closeable of this.#parts.closeables) await this.#step(closeable);
    await Promise.all(this.#parts.databases().map((database) => this.#step(database)));
    return this.#clean;
  }

  async #step(closeable: Closeable): Promise<void> {
    const what = nameOf(closeable);
    const limitMs = this.#limitFor(closeable);
    let isOver = false;
    try {
      const work = this.#close(closeable, limitMs).then(() => (isOver = true));
      await waitAtMost(limitMs, work);
      if (!isOver) throw new Error(`${what} did not close within ${Math.round(limitMs)} ms`);
    } catch (error) {
      this.#clean = false;
      this.#parts.onFailure(error, what);
    }
  }

  /**
   * Something that hangs must not keep the databases from being closed: only they may take all the time that
   * is left.
   */
  #limitFor(closeable: Closeable): number {
    const leftMs = Math.max(0, this.#deadlineMs - performance.now());
    return closeable instanceof Database ? leftMs : Math.min(leftMs, this.#parts.stepTimeoutMs);
  }

  async #close(closeable: Closeable, limitMs: number): Promise<void> {
    if (closeable instanceof Database) {
      await closeable.close({ timeoutMs: Math.max(0, limitMs - DATABASE_END_MS) });
    } else if (closeable instanceof Server) {
      // Cut a moment before the limit, so that the end of the connections is seen within it.
      const cut = await this.#drains.get(closeable)!.close(limitMs * 0.9);
      if (cut > 0) this.#parts.onFailure(new Error(`${cut} connections were cut`), nameOf(closeable));
    } else if (typeof closeable === 'function') await closeable();
    else await closeable.close();
  }
}

function nameOf(closeable: Closeable): string {
  if (closeable instanceof Database) return `database "${closeable.name}"`;
  if (typeof closeable === 'function') return closeable.name === '' ? 'a function' : closeable.name;
  return closeable.constructor.name;
}
