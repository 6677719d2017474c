import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is gone when its scope ends. */
export class Scratch implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'millpond-fault-'));

  file(name: string): string {
    return join(this.path, name);
  }

  /** Removes the files whose names begin so. */
  removeAll(start: string): void {
    for (const name of readdirSync(this.path)) if (name.startsWith(start)) rmSync(this.file(name));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
