import { Worker } from 'node:worker_threads';
import { runInRootContext } from '../async/index.ts';
import { FailureCode, type Answers, type Wire, type WorkerReady, type WorkerStart } from './protocol.ts';
import { workerUrl } from './worker-url.ts';

export interface ThreadListener {
  onAnswers(answers: Answers): void;
  /** The thread threw; answers that it gave before may still come, up to its end. */
  onError(): void;
  /** The thread has ended, for whatever reason; nothing comes after this. */
  onEnd(reason: Error): void;
}

/** A worker's thread: starts it, passes messages, and decides whether it keeps the process alive. */
export class WorkerThread {
  readonly #worker: Worker;
  #keepsAlive = true;

  constructor(start: WorkerStart) {
    // In the root context: the worker's events would otherwise carry the first request's context for ever.
    this.#worker = runInRootContext(
      () => new Worker(workerUrl, { workerData: start, name: `millpond-${start.role}` }),
    );
  }

  /** @returns the thread's first message; all later ones are answers. @param signal ends it before that */
  listen(listener: ThreadListener, signal: AbortSignal): Promise<WorkerReady> {
    const giveUp = () => void this.terminate();
    signal.addEventListener('abort', giveUp, { once: true });
    return runInRootContext(
      () =>
        new Promise((resolve) => {
          let receive = (first: unknown): void => {
            signal.removeEventListener('abort', giveUp);
            receive = (message) => listener.onAnswers(message as Answers);
            resolve(first as WorkerReady);
          };
          let error: Error | undefined;
          this.#worker.on('message', (message) => receive(message));
          this.#worker.on('error', (cause) => {
            error = cause as Error;
            listener.onError();
          });
          this.#worker.on('exit', (code) => {
            const reason = error ?? new Error(`the thread ended with code ${code}`);
            // Without effect unless the thread ended before it was ready.
            resolve({ ready: false, code: FailureCode.internal, message: reason.message });
            listener.onEnd(reason);
          });
        }),
    );
  }

  post(wire: Wire): void {
    this.#worker.postMessage(wire);
  }

  /** The process stays alive for calls in flight, and for nothing else. */
  keepAlive(alive: boolean): void {
    if (alive === this.#keepsAlive) return;
    this.#keepsAlive = alive;
    if (alive) this.#worker.ref();
    else this.#worker.unref();
  }

  /** Ends the thread once the statement that it runs has ended. The process waits for that. */
  async terminate(): Promise<void> {
    this.keepAlive(true);
    await this.#worker.terminate();
  }
}
