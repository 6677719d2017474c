import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type {
  BurstResult,
  BurstTask,
  CallsResult,
  CallsTask,
  LoadResult,
  LoadTask,
  MixResult,
  MixTask,
  Moment,
  Report,
  Result,
  Task,
} from './protocol.ts';

const CLIENT = fileURLToPath(new URL('./client.ts', import.meta.url));

/** The load generator's process, seen from the server's side. One task at a time. */
export class LoadProcess {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(CLIENT, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  load(task: LoadTask, signal: AbortSignal, onProgress: (moment: Moment) => void): Promise<LoadResult> {
    return this.#run(task, signal, onProgress) as Promise<LoadResult>;
  }

  burst(task: BurstTask, signal: AbortSignal): Promise<BurstResult> {
    return this.#run(task, signal) as Promise<BurstResult>;
  }

  mix(task: MixTask, signal: AbortSignal): Promise<MixResult> {
    return this.#run(task, signal) as Promise<MixResult>;
  }

  calls(task: CallsTask, signal: AbortSignal): Promise<CallsResult> {
    return this.#run(task, signal) as Promise<CallsResult>;
  }

  /** Ends the process and waits until it is gone. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await gone;
  }

  /** A task is answered with a result of its own kind. */
  async #run(task: Task, signal: AbortSignal, onProgress?: (moment: Moment) => void): Promise<Result> {
    const done = Promise.withResolvers<Result>();
    const onExit = (code: number | null): void =>
      done.reject(new Error(`the load generator ended early (${code})`));
    const onAbort = (): void => done.reject(signal.reason);
    const onReport = (report: Report): void => {
      if (report.kind === 'progress') onProgress?.(report);
      else if (report.kind === 'failed')
        done.reject(new Error(`the load generator failed: ${report.message}`));
      else if (report.kind === task.kind) done.resolve(report);
      else done.reject(new Error(`BUG: the load generator answered "${task.kind}" with "${report.kind}"`));
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
