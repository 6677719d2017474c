import { existsSync, watch, type FSWatcher } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../errors/index.ts';

/** Between a change and its answer: an editor writes a file in several steps. */
const SETTLE_MS = 100;

/** Changes of `.sql` files in folders, from the moment on when it is made. */
export class Changes {
  readonly #watchers: readonly FSWatcher[];
  #hasChanged = false;
  #isClosed = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;

  constructor(folders: readonly string[]) {
    // Watching a missing folder would wait for ever.
    const missing = folders.find((folder) => !existsSync(folder));
    if (missing !== undefined) throw new UsageError(`There is no folder ${missing} to watch.`);
    this.#watchers = folders.map((folder) => {
      const watcher = watch(folder, { recursive: true });
      watcher.on('change', (_, filename) => this.#note(String(filename)));
      watcher.on('error', (error: Error) => {
        this.#failure ??= error;
        this.#wake();
      });
      return watcher;
    });
  }

  /** Waits for a change since the last call, or since the beginning. @returns false once it is closed */
  async next(): Promise<boolean> {
    while (!this.#hasChanged && !this.#isClosed && this.#failure === undefined)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isClosed) return false;
    await sleep(SETTLE_MS);
    this.#hasChanged = false;
    return !this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    for (const watcher of this.#watchers) watcher.close();
    this.#wake();
  }

  #note(filename: string): void {
    if (!filename.endsWith('.sql')) return;
    this.#hasChanged = true;
    this.#wake();
  }
}
