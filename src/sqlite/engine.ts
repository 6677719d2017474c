import { basename } from 'node:path';
import {
  NO_OPTIONS,
  type BatchItemResult,
  type CallOptions,
  type QueryObserver,
  type Shape,
  type ShapeResult,
  type Statement,
} from '../driver/index.ts';
import { MillpondError, QueryExecutionError, ReadOnlyError } from '../errors/index.ts';
import type { Announcer } from '../events/index.ts';
import { assertSqliteVersion } from './binding.ts';
import { SqliteConnection, type ConnectionHome } from './connection.ts';
import { isBusy, toFailure } from './failure.ts';
import { FileWatch, preparePlace } from './file-guard.ts';
import { InlineReads, mayRunInline } from './inline-reads.ts';
import { loadInterrupter, type Interrupter } from './interrupt.ts';
import { ENGINE_HOLDERS, Lane, type LaneSource } from './lane.ts';
import {
  createCall,
  createEngineCall,
  startCall,
  type CallPlace,
  type CallRequest,
  type PendingCall,
} from './pending-call.ts';
import { MemoryWatch } from './memory-watch.ts';
import { PlanCache, type Plan } from './plan.ts';
import type { MaintenanceTask } from './protocol.ts';
import { ReadLanes } from './read-lanes.ts';
import { redact } from './redact.ts';
import { RowShapes } from './row-builder.ts';
import type { ConnectionRole, SqliteSettings } from './settings.ts';
import { SharedCounters } from './shared-counters.ts';
import type { StatementAnalysis } from './statement-analysis.ts';
import { translateFailure } from './translate-failure.ts';
import { walBytes, WalGovernor, type OldestRead } from './wal-governor.ts';
import { WorkerConnection } from './worker-connection.ts';

export interface SqliteEngineParts {
  readonly settings: SqliteSettings;
  readonly announce: Announcer;
  readonly observer: QueryObserver;
  /** Called before a write outside a transaction is accepted; may throw. */
  readonly beforeWrite: () => void;
}

/** The leases that the engine's shared traffic runs on. With one connection both are the same pool. */
export interface SqliteSources {
  readonly writer: LaneSource;
  readonly reader: LaneSource;
  /** Readers for light statements alone. */
  readonly express: LaneSource;
  readonly maxReaders: number;
  /** The oldest lease of a reader, for the message about a pinned log. */
  readonly oldestRead: () => OldestRead | undefined;
}

/**
 * One SQLite file: makes connections for the pools, and places every statement outside a transaction. A write
 * goes to the group commit; a read that is known to be cheap runs on the calling thread, any other in a
 * worker.
 */
export class SqliteEngine {
  readonly dialect = 'sqlite';
  readonly #settings: SqliteSettings;
  readonly #announce: Announcer;
  readonly #observer: QueryObserver;
  readonly #beforeWrite: () => void;
  readonly #interrupter: Interrupter | undefined;
  readonly #rowShapes = new RowShapes();
  readonly #plans = new PlanCache();
  readonly #counters = new SharedCounters();
  readonly #inlineReads: InlineReads;
  readonly #writePlace: CallPlace;
  readonly #fileWatch: FileWatch;
  readonly #memoryWatch: MemoryWatch | undefined;
  readonly #home: ConnectionHome;
  #writeLane!: Lane;
  #readLanes: ReadLanes | undefined;
  #governor: WalGovernor | undefined;
  #offloadedCount = 0;

  constructor({ settings, announce, observer, beforeWrite }: SqliteEngineParts) {
    assertSqliteVersion();
    if (settings.path === ':memory:') this.#memoryWatch = new MemoryWatch();
    else preparePlace(settings.path, settings);
    this.#settings = settings;
    this.#announce = announce;
    this.#observer = observer;
    this.#beforeWrite = beforeWrite;
    this.#interrupter = loadInterrupter();
    this.#writePlace = this.#placeOf(undefined);
    this.#inlineReads = new InlineReads({
      budgetMs: settings.inlineBudgetMs,
      maxWaiting: settings.maxWaiting,
      announce,
      observer,
      runElsewhere: ({ shape, statement, options, plan }) =>
        this.#readOffloaded(shape, statement, options, plan),
      toError: (error, { statement, options }) => this.#failed(error, statement, options),
    });
    this.#fileWatch = new FileWatch(settings.path);
    this.#home = this.#createHome();
  }

  /** Opens a connection for a pool. The first writer must be open before anything else is. */
  async connect(role: ConnectionRole): Promise<SqliteConnection> {
    this.#fileWatch.assertSameFile();
    this.#memoryWatch?.assertFirst();
    const worker = await WorkerConnection.open(role, {
      settings: this.#settings,
      interrupter: this.#interrupter,
      observer: this.#observer,
      counters: this.#counters,
      cancelGraceMs: this.#settings.cancelGraceMs,
      findShape: (columns) => this.#rowShapes.get(columns),
      noteCommit: () => this.#noteCommit(),
      noteFailure: (failure) => this.#fileWatch.noteFailure(failure),
      keepsLog: () => this.#fileWatch.isStopped,
    });
    this.#memoryWatch?.watch(worker.lost);
    return new SqliteConnection(worker, this.#home);
  }

  /** To be called when the first writer is open. */
  start(sources: SqliteSources): void {
    const { maxWaiting, pooled, path } = this.#settings;
    this.#fileWatch.open();
    this.#writeLane = new Lane(sources.writer, { holder: ENGINE_HOLDERS.groupCommit, maxWaiting });
    if (!pooled) return;
    this.#inlineReads.open(this.#settings, (columns) => this.#rowShapes.get(columns));
    const { express, reader: readers, maxReaders } = sources;
    this.#readLanes = new ReadLanes({ express, readers, maxReaders }, maxWaiting);
    if (this.#settings.readOnly) return;
    this.#governor = new WalGovernor({
      path,
      checkpointBytes: this.#settings.walCheckpointBytes,
      announce: this.#announce,
      counters: this.#counters,
      connect: () => this.connect('checkpointer'),
      onWriter: (task) => this.#maintainOnWriter(task),
      holdHeavyReads: () => this.#readLanes!.holdHeavy(),
      oldestRead: sources.oldestRead,
    });
  }

  /** What the statement does; undefined where only the connection it runs on can tell. @throws its error */
  analyze(statement: Statement, options: CallOptions): StatementAnalysis | undefined {
    try {
      return this.#plan(statement.text)?.analysis;
    } catch (error) {
      throw this.#failed(error, statement, options);
    }
  }

  async analyzeOnWriter(statement: Statement, options: CallOptions): Promise<StatementAnalysis> {
    const { text } = statement;
    const { name, signal, timeoutMs = this.#settings.queryTimeoutMs } = options;
    const call = createEngineCall({ kind: 'maintain', task: 'analyze', argument: text }, text);
    try {
      return await startCall({ ...call, name, signal, timeoutMs }, this.#writeLane.submit);
    } catch (error) {
      throw this.#failed(error, statement, options);
    }
  }

  execute<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions = NO_OPTIONS,
  ): Promise<ShapeResult[S]> {
    try {
      options.signal?.throwIfAborted();
      const plan = this.#plan(statement.text);
      if (plan === undefined) return this.#executeUnplanned(shape, statement, options);
      return this.#place(shape, statement, options, plan);
    } catch (error) {
      return Promise.reject(this.#failed(error, statement, options));
    }
  }

  async batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    this.#assertWritable({ text: 'batch', params: [] }, options);
    return this.#writeCall({ kind: 'batch', statements }, { text: 'batch', params: [] }, options);
  }

  async script(text: string, options: CallOptions): Promise<void> {
    this.#assertWritable({ text, params: [] }, options);
    try {
      await this.#writeCall({ kind: 'script', text }, { text, params: [] }, options);
    } finally {
      this.#plans.clear();
    }
  }

  /** Copies the database, as it is at one moment, to a new file. */
  async backup(connection: SqliteConnection, path: string): Promise<void> {
    await connection.worker.maintain('backup', path);
  }

  /** Whether the file is still the one that was opened, or the memory still there. @throws ConnectionError */
  checkPlace(): void {
    this.assertThere();
    this.#fileWatch.check();
  }

  /** @throws ConnectionError where a database in memory was lost with its connection */
  assertThere(): void {
    this.#memoryWatch?.assertThere();
  }

  /** False where writes are stopped for good. */
  get isSound(): boolean {
    return !this.#fileWatch.isStopped;
  }

  /** Accepted and not answered: in line, or on their way on shared connections. */
  pendingCalls(): number {
    return this.#writeLane.pending + (this.#readLanes?.pending ?? 0) + this.#inlineReads.waiting;
  }

  stats(): Record<string, number | string | boolean> {
    return {
      inline: this.#inlineReads.count,
      offloaded: this.#offloadedCount,
      movedReads: this.#readLanes?.moved ?? 0,
      ...this.#counters.readGroups(),
      walBytes: walBytes(this.#settings.path),
      checkpoints: this.#governor?.checkpoints ?? 0,
      durability: this.#settings.synchronous,
      cancellation: this.#interrupter === undefined ? 'row' : 'interrupt',
      file: basename(this.#settings.path),
    };
  }

  /** After the readers are closed and before the writer is. Settles within `timeoutMs`. */
  async stopServices(timeoutMs: number): Promise<void> {
    await this.#governor?.close(timeoutMs);
    this.#inlineReads.close();
  }

  /** After the last connection. */
  close(): void {
    this.#interrupter?.close();
  }

  #place<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
    plan: Plan,
  ): Promise<ShapeResult[S]> {
    if (plan.analysis.writes) return this.#write(shape, statement, options, plan);
    if (mayRunInline(shape, plan)) {
      return this.#inlineReads.execute({ shape, statement, options, plan }) as Promise<ShapeResult[S]>;
    }
    return this.#readOffloaded(shape, statement, options, plan);
  }

  #write<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
    plan: Plan,
  ): Promise<ShapeResult[S]> {
    this.#assertWritable(statement, options);
    const request = { kind: 'statement', shape, statement, grouped: true } as const;
    const done = this.#writeCall<ShapeResult[S]>(request, statement, options);
    return plan.analysis.changesSchema ? done.finally(() => this.#plans.clear()) : done;
  }

  #writeCall<T>(request: CallRequest, statement: Statement, options: CallOptions): Promise<T> {
    return startCall(createCall(request, statement, options, this.#writePlace), this.#writeLane.submit);
  }

  #maintainOnWriter(task: MaintenanceTask): Promise<unknown> {
    const request = { kind: 'maintain', task, argument: null } as const;
    return startCall(createEngineCall(request, task), this.#writeLane.submit);
  }

  #readOffloaded<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
    plan: Plan,
  ): Promise<ShapeResult[S]> {
    this.#offloadedCount += 1;
    plan.readPlace ??= this.#placeOf(plan.cost);
    const request = { kind: 'statement', shape, statement, grouped: false } as const;
    const submit = this.#readLanes?.submit ?? this.#writeLane.submit;
    return startCall(createCall(request, statement, options, plan.readPlace), submit);
  }

  /** Where calls outside any transaction run: a read has a cost model, a write has none. */
  #placeOf(cost: PendingCall['cost']): CallPlace {
    const writes = cost === undefined;
    const placement = writes ? 'grouped' : 'worker';
    const { queryTimeoutMs } = this.#settings;
    return { placement, transactionId: undefined, writes, commits: writes, cost, queryTimeoutMs };
  }

  /** @returns undefined where no connection of this thread can tell. */
  #plan(text: string): Plan | undefined {
    const known = this.#plans.get(text);
    if (known !== undefined) return known;
    try {
      const statement = this.#inlineReads.prepare(text);
      if (statement === undefined) return undefined;
      return this.#plans.add(text, statement.analysis, this.#settings.inlineReads ? statement : undefined);
    } catch (error) {
      if (isBusy(error)) return undefined;
      throw error;
    }
  }

  /** With one connection, or while the file is locked, a worker says what the statement does. */
  async #executeUnplanned<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
  ): Promise<ShapeResult[S]> {
    const analysis = await this.analyzeOnWriter(statement, options);
    options.signal?.throwIfAborted();
    const plan = this.#plans.get(statement.text) ?? this.#plans.add(statement.text, analysis);
    return this.#place(shape, statement, options, plan);
  }

  #assertWritable({ text }: Statement, { name }: CallOptions): void {
    this.#beforeWrite();
    if (!this.#settings.readOnly) return this.#fileWatch.assertSound();
    throw new ReadOnlyError('The database was opened with readOnly: true.', { sql: text, queryName: name });
  }

  /** The public error of a statement that this thread could not prepare or run. */
  #failed(error: unknown, statement: Statement, options: CallOptions): unknown {
    const failure = this.#toPublic(error, statement, options);
    if (failure instanceof QueryExecutionError) {
      const where = { placement: 'inline', connectionId: undefined, transactionId: undefined } as const;
      this.#observer.failed({ ...statement, name: options.name, ...where, durationMs: 0 }, failure);
    }
    return failure;
  }

  #toPublic(error: unknown, { text, params }: Statement, { name, signal }: CallOptions): unknown {
    if (signal?.aborted === true || !(error instanceof Error) || error instanceof MillpondError) return error;
    const failure = toFailure(error);
    this.#fileWatch.noteFailure(failure);
    const message = redact(failure.message, text, params);
    return translateFailure({ ...failure, message }, { text, name });
  }

  #noteCommit(): void {
    this.#fileWatch.noteCommit();
    this.#governor?.noteCommit();
  }

  #createHome(): ConnectionHome {
    return {
      queryTimeoutMs: this.#settings.queryTimeoutMs,
      streamIdleTimeoutMs: this.#settings.streamIdleTimeoutMs,
      writes: (text) => this.analyze({ text, params: [] }, NO_OPTIONS)?.writes,
      writeElsewhere: (shape, statement, options) => this.execute(shape, statement, options),
      batchElsewhere: (statements, options) => this.batch(statements, options),
      scriptElsewhere: (text, options) => this.script(text, options),
      assertSound: () => this.#fileWatch.assertSound(),
    };
  }
}
