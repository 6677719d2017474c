import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BurstResult, BurstTask, LoadResult, LoadTask, Moment, Report, Task } from './protocol.ts';

const CLIENT = fileURLToPath(new URL('./client.ts', import.meta.url));

type Result = LoadResult | BurstResult;

/** The load generator's process, seen from the server's side. One task at a time. */
export class LoadProcess {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(CLIENT, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  async load(task: LoadTask, signal: AbortSignal, onProgress: (moment: Moment) => void): Promise<LoadResult> {
    const result = await this.#run(task, signal, onProgress);
    if (result.kind === 'load') return result;
    throw new Error(`BUG: the load generator answered a load with "${result.kind}"`);
  }

  async burst(task: BurstTask, signal: AbortSignal): Promise<BurstResult> {
    const result = await this.#run(task, signal, () => undefined);
    if (result.kind === 'burst') return result;
    throw new Error(`BUG: the load generator answered a burst with "${result.kind}"`);
  }

  /** Ends the process and waits until it is gone. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await gone;
  }

  async #run(task: Task, signal: AbortSignal, onProgress: (moment: Moment) => void): Promise<Result> {
    const done = Promise.withResolvers<Result>();
    const onExit = (code: number | null): void =>
      done.reject(new Error(`the load generator ended early (${code})`));
    const onAbort = (): void => done.reject(signal.reason);
    const onReport = (report: Report): void => {
      if (report.kind === 'progress') onProgress(report);
      else if (report.kind === 'failed')
        done.reject(new Error(`the load generator failed: ${report.message}`));
      else done.resolve(report);
    };
    signal.throwIfAborted();
    this.#child.on('message', onReport).on('exit', onExit);
    signal.addEventListener('abort', onAbort);
    try {
      this.#child.send(task);
      return await done.promise;
    } finally {
      this.#child.off('message', onReport).off('exit', onExit);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
