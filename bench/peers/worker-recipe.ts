import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ItemRow, OpenOptions, SqlPeer } from './peer.ts';
import { INSERT_EVENT, POINT_READ, RANGE_READ, settingsOf } from './statements.ts';

interface Job {
  readonly message: { readonly text: string; readonly params: readonly unknown[] };
  readonly resolve: (rows: unknown[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The technique of better-sqlite3's page on worker threads: a worker per core with a connection of its own, one queue,
 * one message per query, the statement prepared for each message. Interactive transactions are beyond it.
 * https://github.com/WiseLibs/better-sqlite3/blob/master/docs/threads.md
 */
export async function openPeer(options: OpenOptions): Promise<SqlPeer> {
  const size = options.writes === true ? 1 : (options.readers ?? availableParallelism());
  const pool = new QueryWorkers(size, options);
  const query = (text: string, ...params: unknown[]): Promise<unknown[]> => pool.query(text, params);
  return {
    pointRead: async (id) => (await query(POINT_READ, id))[0] as ItemRow | undefined,
    rangeRead: (firstId, count) => query(RANGE_READ, firstId, count) as Promise<ItemRow[]>,
    insert: ({ itemId, kind, payload, at }) => query(INSERT_EVENT, itemId, kind, payload, at),
    value: async (text) => Object.values((await query(text))[0] as object)[0],
    close: () => pool.close(),
  };
}

class QueryWorkers {
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];
  readonly #queue: Job[] = [];
  readonly #running = new Map<Worker, Job>();

  constructor(size: number, { file, synchronous }: OpenOptions) {
    for (let index = 0; index < size; index++) {
      const worker = new Worker(new URL('./worker-recipe-worker.mjs', import.meta.url), {
        workerData: { file, settings: settingsOf(synchronous) },
      });
      this.#all.push(worker);
      worker.once('online', () => this.#takeNext(worker));
      worker.on('message', (rows: unknown[]) => {
        this.#running.get(worker)!.resolve(rows);
        this.#running.delete(worker);
        this.#takeNext(worker);
      });
      worker.on('error', (error: Error) => this.#running.get(worker)?.reject(error));
    }
  }

  query(text: string, params: readonly unknown[]): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ message: { text, params }, resolve, reject });
      const worker = this.#idle.pop();
      if (worker !== undefined) this.#takeNext(worker);
    });
  }

  /** Asked, not terminated: a worker that is ended while it loads the native module takes the process along. */
  async close(): Promise<void> {
    const ends = this.#all.map((worker) => once(worker, 'exit'));
    for (const worker of this.#all) worker.postMessage(undefined);
    await Promise.all(ends);
  }

  #takeNext(worker: Worker): void {
    const job = this.#queue.shift();
    if (job === undefined) {
      this.#idle.push(worker);
      return;
    }
    this.#running.set(worker, job);
    worker.postMessage(job.message);
  }
}
