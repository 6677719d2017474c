import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** How a child ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Its coverage is counted, which makes its start slow; one that is killed has nothing to tell. @default
   * true
   */
  readonly isCovered?: boolean;
  /** Called with each line of its standard output as soon as it is there. */
  readonly onLine?: (line: string) => void;
  /** A child that runs longer is killed, and its end says SIGKILL. @default 60_000 */
  readonly limitMs?: number;
  /** A command of the shell that holds for the child, such as `ulimit -n 100`. */
  readonly limit?: string;
}

/** The environment of a child that opens its database with one connection for everything. */
export const ONE_CONNECTION: Readonly<Record<string, string>> = { MILLPOND_POOLED: 'false' };

/** Half of the start of a child is compiling the same files. */
const COMPILE_CACHE = join(tmpdir(), 'millpond-fault-compile-cache');

/**
 * A process of its own that runs one file of `children/`, so that it can be killed, starved or lied to alone.
 */
export class Child {
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  /** Settles when the process has ended and all that it wrote was read. */
  readonly ended: Promise<ChildEnd>;
  /** Settles with the first line; undefined where it ended without one. */
  readonly ready: Promise<string | undefined>;

  constructor(
    script: string,
    args: readonly string[],
    { env = {}, isCovered = true, onLine, limitMs = 60_000, limit }: ChildOptions = {},
  ) {
    const path = fileURLToPath(new URL(`children/${script}.ts`, import.meta.url));
    const command = [process.execPath, path, ...args];
    if (limit !== undefined) command.unshift('sh', '-c', `${limit} && exec "$0" "$@"`);
    this.#process = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...(isCovered ? {} : { NODE_V8_COVERAGE: '' }),
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        ...env,
      },
    });
    const timer = setTimeout(() => this.kill(), limitMs);
    let stderr = '';
    this.#process.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    const first = Promise.withResolvers<string | undefined>();
    this.ready = first.promise;
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      first.resolve(line);
      onLine?.(line);
    });
    this.ended = new Promise((resolve) => {
      this.#process.on('close', (code, signal) => {
        clearTimeout(timer);
        first.resolve(undefined);
        resolve({ code, signal, stderr });
      });
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Tells it to do what it waits with. */
  tell(): void {
    this.#process.kill('SIGUSR2');
  }

  /** As `kill -9`: nothing in the process runs any more. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
