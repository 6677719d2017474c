import type {
  BatchItemResult,
  BeginOptions,
  CallOptions,
  DriverConnection,
  Placement,
  Shape,
  ShapeResult,
  Statement,
} from '../driver/index.ts';
import { RowStream } from './row-stream.ts';
import type { CallDescription, CallHooks } from './pending-call.ts';
import { Op } from './protocol.ts';
import type { WorkerConnection } from './worker-connection.ts';
import type { ConnectionRole } from './settings.ts';

/** What a connection needs to know of the engine that it belongs to. */
export interface ConnectionHome {
  readonly queryTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  /** Whether the text writes; undefined where only the connection itself can tell (a table made in this transaction). */
  writes(text: string): boolean | undefined;
  /** A write on a leased reader runs where writes run: like any write outside a transaction. */
  writeElsewhere<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]>;
  batchElsewhere(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]>;
  scriptElsewhere(text: string, options: CallOptions): Promise<void>;
  /** A write was committed: readers may see more now. */
  noteCommit(): void;
}

/** A call that the lanes send: its limits started to count when the caller asked. */
export interface PlacedCall {
  readonly statement: Statement;
  readonly options: CallOptions;
  readonly placement: Placement;
  readonly startedAt: number;
  readonly writes: boolean;
}

/** One SQLite connection as the pool keeps it and a transaction uses it. */
export class SqliteConnection implements DriverConnection {
  /** Called after answers came in; set by the lane that shares this connection. */
  onAnswered: (() => void) | undefined;
  readonly #worker: WorkerConnection;
  readonly #home: ConnectionHome;
  #inTransaction = false;
  #transactionWrites = false;
  #transactionId: number | undefined;

  constructor(worker: WorkerConnection, home: ConnectionHome) {
    this.#worker = worker;
    this.#home = home;
    worker.onAnswered = () => this.onAnswered?.();
  }

  get id(): number {
    return this.#worker.id;
  }

  get role(): ConnectionRole {
    return this.#worker.role;
  }

  get usable(): boolean {
    return this.#worker.usable;
  }

  get lost(): Promise<Error> {
    return this.#worker.lost;
  }

  get inFlight(): number {
    return this.#worker.inFlight;
  }

  get hasRoom(): boolean {
    return this.#worker.hasRoom;
  }

  get worker(): WorkerConnection {
    return this.#worker;
  }

  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]> {
    if (this.#inTransaction) return this.#send(shape, this.#placed(statement, options, this.#transactionWrites), Op.execute);
    const writes = this.#home.writes(statement.text) ?? this.role === 'writer';
    if (writes && this.role !== 'writer') return this.#home.writeElsewhere(shape, statement, options);
    return this.#send(shape, this.#placed(statement, options, writes), writes ? Op.write : Op.execute);
  }

  /** For the lanes: a call outside any transaction. */
  executeShared<S extends Shape>(
    shape: S,
    call: PlacedCall,
    hooks?: CallHooks,
  ): Promise<ShapeResult[S]> {
    return this.#send(shape, call, call.writes ? Op.write : Op.execute, hooks);
  }

  batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    if (this.role !== 'writer' && !this.#inTransaction) return this.#home.batchElsewhere(statements, options);
    return this.batchShared(statements, this.#placed({ text: 'batch', params: [] }, options, true));
  }

  async batchShared(statements: readonly Statement[], call: PlacedCall): Promise<BatchItemResult[]> {
    return this.#worker.batch(statements, this.#describe(call));
  }

  script(text: string, options: CallOptions): Promise<void> {
    if (this.role !== 'writer' && !this.#inTransaction) return this.#home.scriptElsewhere(text, options);
    return this.scriptShared(this.#placed({ text, params: [] }, options, true));
  }

  scriptShared(call: PlacedCall): Promise<void> {
    return this.#worker.script(this.#describe(call));
  }

  stream(statement: Statement, options: CallOptions): AsyncIterableIterator<Record<string, unknown>[]> {
    const call = this.#describe(this.#placed(statement, options, false));
    return new RowStream({ worker: this.#worker, statement, call, idleTimeoutMs: this.#home.streamIdleTimeoutMs });
  }

  async begin({ readOnly, transactionId }: BeginOptions): Promise<void> {
    this.#inTransaction = true;
    this.#transactionId = transactionId;
    this.#transactionWrites = !readOnly;
    await this.#control(readOnly ? 'begin-read' : 'begin-write');
  }

  async commit(): Promise<void> {
    const wrote = this.#transactionWrites;
    this.#inTransaction = false;
    await this.#control('commit');
    if (wrote) this.#home.noteCommit();
  }

  async rollback(): Promise<void> {
    this.#inTransaction = false;
    await this.#control('rollback');
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
    await this.#worker.maintain('ping');
    return this.usable;
  }

  /** Leaves the file as one would: fresh query statistics, an empty log. Nothing depends on it. */
  async tidy(timeoutMs: number): Promise<void> {
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, timeoutMs).unref());
    const work = async () => {
      await this.#worker.maintain('optimize');
      await this.#worker.maintain('truncate');
    };
    // A busy or broken file may refuse either; closing goes on without.
    await Promise.race([work().catch(() => undefined), timeout]);
  }

  /** Ends the connection: in order where it is sound, with its thread otherwise. */
  async end(reason: string, timeoutMs: number): Promise<void> {
    if (this.usable) await this.#worker.close(timeoutMs);
    else await this.#worker.terminate(new Error(reason));
  }

  cancelPending(reason: Error): void {
    this.#worker.cancelPending(() => reason);
  }

  async #send<S extends Shape>(
    shape: S,
    call: PlacedCall,
    op: typeof Op.execute | typeof Op.write,
    hooks?: CallHooks,
  ): Promise<ShapeResult[S]> {
    return this.#worker.execute(shape, call.statement, { ...this.#describe(call), op }, hooks);
  }

  #control(verb: Parameters<WorkerConnection['control']>[0], name: string | null = null): Promise<void> {
    const statement = { text: verb, params: [] };
    const call = this.#describe(this.#placed(statement, NO_LIMIT, this.#transactionWrites && verb === 'commit'));
    return this.#worker.control(verb, { ...call, cancellable: verb === 'begin-write', observed: false }, name);
  }

  #placed(statement: Statement, options: CallOptions, writes: boolean): PlacedCall {
    return { statement, options, placement: 'connection', startedAt: performance.now(), writes };
  }

  #describe({ statement, options, placement, startedAt, writes }: PlacedCall): CallDescription {
    return {
      text: statement.text,
      name: options.name,
      params: statement.params,
      placement,
      transactionId: this.#inTransaction ? this.#transactionId : undefined,
      startedAt,
      timeoutMs: options.timeoutMs ?? this.#home.queryTimeoutMs,
      signal: options.signal,
      writes,
      cancellable: true,
      observed: true,
    };
  }
}

/** BEGIN, COMMIT and the like end with the limits of their transaction, not with a statement's. */
const NO_LIMIT: CallOptions = { timeoutMs: 0 };
