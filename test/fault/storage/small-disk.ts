import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Scratch } from './scratch.ts';

/** A file system in memory that holds a few megabytes, and a file on it that takes up the rest. */
export class SmallDisk implements Disposable {
  readonly #scratch = new Scratch();

  /** Why there can be none here, if so: only the superuser may mount. */
  static missing(): string | undefined {
    if (process.platform !== 'linux') return 'tmpfs is Linux’s';
    try {
      new SmallDisk(1)[Symbol.dispose]();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  constructor(megabytes: number) {
    const { status, stderr, error } = spawnSync(
      'mount',
      ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', this.path],
      {
        encoding: 'utf8',
      },
    );
    if (status === 0) return;
    this.#scratch[Symbol.dispose]();
    throw new Error(`a small file system cannot be mounted: ${error?.message ?? stderr.trim()}`);
  }

  get path(): string {
    return this.#scratch.path;
  }

  /** Takes all space but this many bytes. */
  fill(spareBytes: number): void {
    const { bavail, bsize } = statfsSync(this.path);
    const block = Buffer.alloc(4_096);
    const filler = openSync(join(this.path, 'filler'), 'a');
    try {
      for (let left = bavail * bsize - spareBytes; left >= block.length; left -= block.length)
        writeSync(filler, block);
    } catch (error) {
      // A checkpoint may have taken space meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(filler);
    }
  }

  free(): void {
    rmSync(join(this.path, 'filler'), { force: true });
  }

  [Symbol.dispose](): void {
    spawnSync('umount', ['--lazy', this.path]);
    this.#scratch[Symbol.dispose]();
  }
}
