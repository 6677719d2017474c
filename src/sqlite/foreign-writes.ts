import { runInRootContext, type Clock, type Timer } from '../async/index.ts';
import type { Announcer } from '../events/index.ts';

/** How often the file is checked, while somebody listens. */
const LOOK_EVERY_MS = 500;

export interface ForeignWritesParts {
  readonly announce: Announcer;
  readonly clock: Clock;
  /**
   * The writer's `pragma data_version`: it changes when another connection has changed the file, and of our
   * own connections only the writer does that: https://sqlite.org/pragma.html#pragma_data_version
   */
  readVersion(): Promise<unknown>;
  /** Called before a change is announced. */
  noteChange(): void;
}

/** Announces that another process has changed the file. Asks only while somebody listens. */
export class ForeignWrites {
  readonly #parts: ForeignWritesParts;
  #timer: Timer | undefined;
  #stopped = false;
  #version: unknown;

  constructor(parts: ForeignWritesParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer = runInRootContext(() => this.#parts.clock.after(LOOK_EVERY_MS, () => void this.#look()));
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    // While nobody listens nothing is checked, so the first listener may be told of a change that is long
    // past.
    if (this.#parts.announce.has('data:change')) await this.#compare();
    this.start();
  }

  async #compare(): Promise<void> {
    try {
      const version = await this.#parts.readVersion();
      const isChanged = this.#version !== undefined && version !== this.#version;
      this.#version = version;
      if (!isChanged) return;
      this.#parts.noteChange();
      this.#parts.announce.emit('data:change', { tables: undefined, source: 'foreign' });
    } catch {
      // The writer was lost or is closing. The next one has a number of its own, which counts as a change.
    }
  }
}
