import {
  noCopyError,
  type BatchItemResult,
  type BeginOptions,
  type CallOptions,
  type CopySource,
  type DriverConnection,
  type RunResult,
  type Shape,
  type ShapeResult,
  type Statement,
} from '../driver/index.ts';

/** What a watcher is told about a connection. */
export interface ConnectionWatcher {
  /** A COMMIT was answered, or may have been carried out; so may a write outside a transaction. */
  wrote(): void;
  failed(error: unknown): void;
}

/** A connection to the primary that reports when something may have been written there, and what failed. */
export class WatchedConnection implements DriverConnection {
  readonly #connection: DriverConnection;
  readonly #watcher: ConnectionWatcher;
  #isInTransaction = false;

  constructor(connection: DriverConnection, watcher: ConnectionWatcher) {
    this.#connection = connection;
    this.#watcher = watcher;
  }

  get id(): number {
    return this.#connection.id;
  }

  get usable(): boolean {
    return this.#connection.usable;
  }

  get lost(): Promise<Error> {
    return this.#connection.lost;
  }

  get pipelinesCommit(): boolean {
    return this.#connection.pipelinesCommit ?? false;
  }

  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]> {
    return this.#watch(this.#connection.execute(shape, statement, options));
  }

  stream(statement: Statement, options: CallOptions): AsyncIterableIterator<Record<string, unknown>[]> {
    return this.#connection.stream(statement, options);
  }

  batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    return this.#watch(this.#connection.batch(statements, options));
  }

  script(text: string, options: CallOptions): Promise<void> {
    return this.#watch(this.#connection.script(text, options));
  }

  copyIn(text: string, source: CopySource, options: CallOptions): Promise<RunResult> {
    if (this.#connection.copyIn === undefined) return Promise.reject(noCopyError());
    return this.#watch(this.#connection.copyIn(text, source, options));
  }

  copyOut(text: string, options: CallOptions): AsyncIterableIterator<Uint8Array> {
    if (this.#connection.copyOut === undefined) throw noCopyError();
    return this.#connection.copyOut(text, options);
  }

  begin(options: BeginOptions): Promise<void> {
    this.#isInTransaction = true;
    return this.#connection.begin(options);
  }

  async commit(): Promise<void> {
    try {
      await this.#connection.commit();
    } catch (error) {
      this.#watcher.failed(error);
      throw error;
    } finally {
      this.#isInTransaction = false;
      this.#watcher.wrote();
    }
  }

  async rollback(): Promise<void> {
    try {
      await this.#connection.rollback();
    } finally {
      this.#isInTransaction = false;
    }
  }

  mayWrite(text: string): boolean | Promise<boolean> {
    return this.#connection.mayWrite(text);
  }

  savepoint(name: string): Promise<void> {
    return this.#connection.savepoint(name);
  }

  releaseSavepoint(name: string): Promise<void> {
    return this.#connection.releaseSavepoint(name);
  }

  rollbackToSavepoint(name: string): Promise<void> {
    return this.#connection.rollbackToSavepoint(name);
  }

  cancelPending(reason: Error): void {
    this.#connection.cancelPending(reason);
  }

  cutOff(reason: Error): void {
    this.#connection.cutOff?.(reason);
  }

  async #watch<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      this.#watcher.failed(error);
      throw error;
    } finally {
      if (!this.#isInTransaction) this.#watcher.wrote();
    }
  }
}
