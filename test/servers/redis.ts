import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withFreePort } from './free-port.ts';
import { GuardedProcess, handOver, logOf, waitForLog } from './guarded-process.ts';

export interface RedisOptions {
  /** Arguments of redis-server without the dashes: `{ maxmemory: '2mb' }`. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** Starts a Redis of its own that keeps nothing, and ends with this process at the latest. The caller stops it. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-redis-'));
  handOver(folder);
  const server = new RedisServer(folder, options);
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

export class RedisServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #settings: Readonly<Record<string, string | number>>;
  #port: number | undefined;
  #process: GuardedProcess | undefined;

  constructor(folder: string, { settings = {} }: RedisOptions) {
    this.#folder = folder;
    this.#settings = settings;
  }

  /** The same after a restart. */
  get port(): number {
    return this.#port!;
  }

  get pid(): number {
    return this.#process!.pid;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** After `halt`, or for the first time: on the same port, empty. */
  async start(): Promise<void> {
    if (this.#port !== undefined) return this.#startOn(this.#port);
    await withFreePort(async (port) => {
      await this.#startOn(port);
      this.#port = port;
    });
  }

  /** Kills it so that it can be started again. */
  async halt(): Promise<void> {
    await this.#process?.stop({ keep: true, signal: 'KILL' });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #startOn(port: number): Promise<void> {
    const said = logOf(this.#folder).length;
    const settings = { port, bind: '127.0.0.1', save: '', appendonly: 'no', ...this.#settings };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.#process = await GuardedProcess.start({
      command: ['redis-server', ...args],
      folder: this.#folder,
      signal: 'TERM',
    });
    try {
      await waitForLog(this.#folder, 'Ready to accept connections', said);
    } catch (error) {
      await this.halt();
      throw error;
    }
  }
}
