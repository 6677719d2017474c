import { runInRootContext, type Clock } from '../async/index.ts';
import { ConnectionError } from '../errors/index.ts';
import { withinLimit } from './time-limit.ts';

interface EndingsParts {
  /** The pool's name, for the error of an end that takes too long. */
  readonly name: string;
  readonly clock: Clock;
  readonly limitMs: number;
}

/** The resources on their way out. Each may take `limitMs`; then it counts as ended with an error. */
export class Endings {
  readonly #parts: EndingsParts;
  readonly #running = new Set<Promise<void>>();

  constructor(parts: EndingsParts) {
    this.#parts = parts;
  }

  /** Runs `end` outside any request's context. `whenOver` is told how it went: undefined, or the error. */
  follow(end: () => Promise<void>, whenOver: (error: unknown) => void): void {
    const { name, clock, limitMs } = this.#parts;
    const late = () =>
      new ConnectionError(`A connection of pool "${name}" was not closed within ${limitMs} ms.`);
    const limit = { clock, limitMs, late, signal: undefined, keepAlive: true };
    const running = runInRootContext(() => withinLimit(end(), limit))
      .then(() => whenOver(undefined), whenOver)
      .then(() => void this.#running.delete(running));
    this.#running.add(running);
  }

  /** Settles when nothing is on its way out any more. Each end is bounded, so this is. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
