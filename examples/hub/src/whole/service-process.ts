import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Order, Said, State } from './server-protocol.ts';

const SERVER = fileURLToPath(new URL('./server-process.ts', import.meta.url));

/** The process of a service, seen from the side that measures. */
export class ServiceProcess implements AsyncDisposable {
  readonly #child: ChildProcess = fork(SERVER, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

  /** Resolves with the port. */
  async start(service: 'naive' | 'full', url: string): Promise<number> {
    const said = await this.#ask({ kind: 'start', service, url });
    if (said.kind === 'started') return said.port;
    throw new Error(
      `the ${service} service did not start: ${said.kind === 'failed' ? said.message : said.kind}`,
    );
  }

  async state(): Promise<State> {
    const said = await this.#ask({ kind: 'state' });
    if (said.kind === 'state') return said;
    throw new Error(`BUG: a service said "${said.kind}" when it was asked for its state`);
  }

  /** Lets it close everything, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await gone;
  }

  async #ask(order: Order): Promise<Said> {
    const answer = Promise.withResolvers<Said>();
    const onMessage = (said: Said): void => answer.resolve(said);
    const onExit = (code: number | null): void =>
      answer.reject(new Error(`the process of a service ended early (${code})`));
    this.#child.on('message', onMessage).on('exit', onExit);
    try {
      this.#child.send(order);
      return await answer.promise;
    } finally {
      this.#child.off('message', onMessage).off('exit', onExit);
    }
  }
}
