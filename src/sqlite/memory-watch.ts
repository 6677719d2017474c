import { ConnectionError } from '../errors/index.ts';

/**
 * A database in memory lives in one connection and ends with it. A second connection would open an empty one
 * under the same name without anybody noticing: so there is none, and after the loss every call fails.
 */
export class MemoryWatch {
  #isOpen = false;
  #loss: ConnectionError | undefined;

  /** For a new connection. @throws ConnectionError unless it is the first */
  assertFirst(): void {
    if (this.#isOpen) throw this.#lose(undefined);
  }

  /** The first connection is open; `lost` settles when it is lost. */
  watch(lost: Promise<Error>): void {
    this.#isOpen = true;
    void lost.then((reason) => this.#lose(reason));
  }

  /** @throws ConnectionError from the loss on */
  assertThere(): void {
    if (this.#loss !== undefined) throw this.#loss;
  }

  #lose(cause: Error | undefined): ConnectionError {
    const message =
      'The database in memory is gone: the connection that held it was lost. Open it anew, and keep in a ' +
      'file what must outlive a thread.';
    this.#loss ??= new ConnectionError(message, { code: 'ERR_MILLPOND_MEMORY_LOST', cause });
    return this.#loss;
  }
}
