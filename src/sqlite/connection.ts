import type {
  BatchItemResult,
  BeginOptions,
  CallOptions,
  DriverConnection,
  QueryObserver,
  Shape,
  ShapeResult,
  Statement,
} from '../driver/index.ts';
import { waitAtMost } from '../async/index.ts';
import { ConnectionError } from '../errors/index.ts';
import { changesOf, noChanges, TransactionChanges } from './changes.ts';
import { RowStream } from './row-stream.ts';
import { askForAnalysis, createCall, startCall, type CallRequest, type PendingCall } from './pending-call.ts';
import type { ControlVerb } from './protocol.ts';
import type { StatementAnalysis } from './statement-analysis.ts';
import type { WorkerConnection } from './worker-connection.ts';
import type { ConnectionRole } from './settings.ts';

/** What a connection needs of the engine that it belongs to. */
export interface ConnectionEnvironment {
  readonly observer: QueryObserver;
  readonly queryTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  /**
   * Whether the text writes; undefined where only the connection itself can tell (a table made in this
   * transaction).
   */
  writes(text: string): boolean | undefined;
  /** Whether anyone listens for what a transaction changed. */
  watchesChanges(): boolean;
  /** Undefined where only this connection can tell. */
  analysisOf(text: string): StatementAnalysis | undefined;
  /** A write on a leased reader runs where writes run: like any write outside a transaction. */
  writeElsewhere<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
  ): Promise<ShapeResult[S]>;
  batchElsewhere(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]>;
  scriptElsewhere(text: string, options: CallOptions): Promise<void>;
  /** @throws ConnectionError where writes are stopped, because the file can no longer be trusted */
  assertSound(): void;
}

/** One SQLite connection as the pool keeps it and a transaction uses it. */
export class SqliteConnection implements DriverConnection {
  readonly pipelinesCommit = true;
  readonly worker: WorkerConnection;
  readonly #environment: ConnectionEnvironment;
  #inTransaction = false;
  #transactionWrites = false;
  #transactionId: number | undefined;
  /** Undefined where nobody listened for them when the transaction began. */
  #changes: TransactionChanges | undefined;

  constructor(worker: WorkerConnection, environment: ConnectionEnvironment) {
    this.worker = worker;
    this.#environment = environment;
  }

  get id(): number {
    return this.worker.id;
  }

  get role(): ConnectionRole {
    return this.worker.role;
  }

  get usable(): boolean {
    return this.worker.usable;
  }

  get lost(): Promise<Error> {
    return this.worker.lost;
  }

  async execute<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
  ): Promise<ShapeResult[S]> {
    if (this.#inTransaction) {
      this.#noteChangesOf(statement.text);
      const request = { kind: 'statement', shape, statement, grouped: false } as const;
      return this.#call(request, statement, options, this.#transactionWrites);
    }
    const writes = this.#environment.writes(statement.text) ?? this.role === 'writer';
    if (writes && this.role !== 'writer') return this.#environment.writeElsewhere(shape, statement, options);
    return this.#call({ kind: 'statement', shape, statement, grouped: writes }, statement, options, writes);
  }

  batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    if (this.role !== 'writer' && !this.#inTransaction)
      return this.#environment.batchElsewhere(statements, options);
    for (const { text } of statements) this.#noteChangesOf(text);
    return this.#call({ kind: 'batch', statements }, { text: 'batch', params: [] }, options, true);
  }

  script(text: string, options: CallOptions): Promise<void> {
    if (this.role !== 'writer' && !this.#inTransaction)
      return this.#environment.scriptElsewhere(text, options);
    this.#changes?.note('anything');
    return this.#call({ kind: 'script', text }, { text, params: [] }, options, true);
  }

  stream(statement: Statement, options: CallOptions): AsyncIterableIterator<Record<string, unknown>[]> {
    if (this.#inTransaction) {
      this.#noteChangesOf(statement.text);
      return this.rows(statement, options);
    }
    return this.#streamAlone(statement, options);
  }

  /**
   * A stream of a read. @param onEnd called once, when the stream no longer needs this connection: also when
   * its consumer stops reading
   */
  rows(statement: Statement, options: CallOptions, onEnd?: () => void): RowStream {
    const describe = (request: CallRequest) => this.#describe(request, statement, options, false);
    const { streamIdleTimeoutMs: idleTimeoutMs } = this.#environment;
    return new RowStream({ worker: this.worker, statement, describe, idleTimeoutMs, onEnd });
  }

  async begin({ readOnly, transactionId, foreignKeys = true }: BeginOptions): Promise<void> {
    this.#inTransaction = true;
    this.#transactionId = transactionId;
    this.#transactionWrites = !readOnly;
    this.#changes = !readOnly && this.#environment.watchesChanges() ? new TransactionChanges() : undefined;
    await this.#control(readOnly ? 'begin-read' : foreignKeys ? 'begin-write' : 'begin-rebuild');
    // Not before BEGIN is sent: the statements that are sent behind it must not run without one.
    if (!readOnly) this.#environment.assertSound();
  }

  async commit(): Promise<void> {
    this.#inTransaction = false;
    try {
      if (this.#transactionWrites) this.#environment.assertSound();
    } catch (fault) {
      await this.#control('rollback');
      throw fault;
    }
    await this.#control('commit');
  }

  async rollback(): Promise<void> {
    this.#inTransaction = false;
    await this.#control('rollback');
  }

  mayWrite(text: string): boolean | Promise<boolean> {
    const known = this.#environment.analysisOf(text);
    if (known !== undefined) return known.writes;
    // What cannot be analyzed cannot run either: its own error says why.
    return new Promise((resolve) => {
      askForAnalysis(
        text,
        (call) => this.worker.send(call),
        (analysis) => resolve(analysis?.writes === true),
      );
    });
  }

  savepoint(name: string): Promise<void> {
    return this.#control('savepoint', name);
  }

  releaseSavepoint(name: string): Promise<void> {
    return this.#control('release', name);
  }

  rollbackToSavepoint(name: string): Promise<void> {
    return this.#control('rollback-to', name);
  }

  async ping(): Promise<boolean> {
    await this.worker.maintain('ping');
    return this.usable;
  }

  /**
   * Leaves the file tidy: with fresh query statistics, and the log moved into the database. Nothing depends
   * on it.
   */
  async tidy(timeoutMs: number): Promise<void> {
    const work = async () => {
      await this.worker.maintain('optimize');
      await this.worker.maintain('checkpoint');
    };
    // A busy or broken file may refuse either; closing goes on without them.
    await waitAtMost(
      timeoutMs,
      work().catch(() => undefined),
    );
  }

  /** Ends the connection: in order where it is sound, with its thread otherwise. */
  async end(reason: string, timeoutMs: number): Promise<void> {
    // A statement left running would keep its thread alive for as long as it takes.
    this.worker.cancelPending(() => closedError(reason));
    if (this.usable) await this.worker.close(timeoutMs);
    else await this.worker.terminate(new Error(reason));
  }

  cancelPending(reason: Error): void {
    this.worker.cancelPending(() => reason);
  }

  #call<T>(request: CallRequest, statement: Statement, options: CallOptions, writes: boolean): Promise<T> {
    return startCall(this.#describe(request, statement, options, writes), (call) => this.worker.send(call));
  }

  /** The rows of a write come after its COMMIT, all at once. */
  async *#streamAlone(
    statement: Statement,
    options: CallOptions,
  ): AsyncGenerator<Record<string, unknown>[], undefined> {
    if (await this.#isWrite(statement.text)) yield await this.execute('all', statement, options);
    else yield* this.rows(statement, options);
    return undefined;
  }

  /**
   * Only asked where nobody else can tell. A text that cannot be analyzed cannot run either: its cursor says
   * why.
   */
  async #isWrite(text: string): Promise<boolean> {
    const known = this.#environment.writes(text);
    if (known !== undefined) return known;
    const analysis = this.worker.maintain('analyze', text) as Promise<StatementAnalysis>;
    return analysis.then(({ writes }) => writes).catch(() => false);
  }

  #describe(request: CallRequest, statement: Statement, options: CallOptions, writes: boolean): PendingCall {
    return createCall(request, statement, options, {
      placement: 'connection',
      transactionId: this.#inTransaction ? this.#transactionId : undefined,
      mayWrite: writes,
      commits: writes && !this.#inTransaction,
      changes: noChanges,
      cost: undefined,
      queryTimeoutMs: this.#environment.queryTimeoutMs,
      observer: this.#environment.observer,
    });
  }

  #noteChangesOf(text: string): void {
    const changes = this.#changes;
    if (changes === undefined) return;
    const known = this.#environment.analysisOf(text);
    if (known !== undefined) return changes.note(changesOf(known));
    // For example a table that was made in this same transaction.
    askForAnalysis(
      text,
      (call) => this.worker.send(call),
      (analysis) => changes.note(changesOf(analysis)),
    );
  }

  #control(verb: ControlVerb, name: string | null = null): Promise<void> {
    const commits = this.#transactionWrites && verb === 'commit';
    const changes = this.#changes;
    const call: PendingCall = {
      ...this.#describe({ kind: 'control', verb, name }, { text: verb, params: [] }, NO_LIMIT, commits),
      commits,
      changes: () => changes?.all ?? 'anything',
      cancellable: verb === 'begin-write',
      observed: false,
    };
    return startCall(call, (sent) => this.worker.send(sent));
  }
}

/** BEGIN, COMMIT and the like end with the limits of their transaction, not with a statement's. */
const NO_LIMIT: CallOptions = { timeoutMs: 0 };

function closedError(reason: string): ConnectionError {
  return new ConnectionError(`The connection was closed while this call was under way: ${reason}.`, {
    code: 'ERR_MILLPOND_CLOSED',
  });
}
