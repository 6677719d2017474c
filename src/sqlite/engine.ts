import { systemClock } from '../async/index.ts';
import {
  NO_OPTIONS,
  type BatchItemResult,
  type CallOptions,
  type QueryObserver,
  type Shape,
  type ShapeResult,
  type Statement,
  type StatementDescription,
} from '../driver/index.ts';
import { ReadOnlyError } from '../errors/index.ts';
import type { Announcer } from '../events/index.ts';
import { assertSqliteVersion } from './binding.ts';
import { joinChanges, type Changes } from './changes.ts';
import { SqliteConnection, type ConnectionEnvironment } from './connection.ts';
import { toStats, type SqliteStats } from './engine-stats.ts';
import { ForeignWrites } from './foreign-writes.ts';
import { FileWatch, preparePlace } from './file-guard.ts';
import { InlineReads, mayRunInline } from './inline-reads.ts';
import { loadInterrupter, type Interrupter } from './interrupt.ts';
import { ENGINE_HOLDERS, Lane } from './lane.ts';
import {
  askForAnalysis,
  createCall,
  createEngineCall,
  startCall,
  type CallPlace,
  type CallRequest,
} from './pending-call.ts';
import { MemoryWatch } from './memory-watch.ts';
import { CallPlaces } from './call-places.ts';
import { Planner, type Plan } from './plan.ts';
import type { MaintenanceTask } from './protocol.ts';
import { ReadLanes } from './read-lanes.ts';
import { RowShapes } from './row-builder.ts';
import type { ConnectionRole, SqliteSettings } from './settings.ts';
import { SharedCounters } from './shared-counters.ts';
import type { StatementAnalysis } from './statement-analysis.ts';
import { StatementFailures } from './statement-failures.ts';
import type { SqliteSources } from './sqlite-sources.ts';
import { WalGovernor } from './wal-governor.ts';
import { WorkerConnection, type WorkerEnvironment } from './worker-connection.ts';

export interface SqliteEngineParts {
  readonly settings: SqliteSettings;
  readonly announce: Announcer;
  readonly observer: QueryObserver;
  /** Called before a write outside a transaction is accepted; may throw. */
  readonly beforeWrite: () => void;
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
  readonly #planner: Planner;
  readonly #places: CallPlaces;
  readonly #failures: StatementFailures;
  readonly #counters = new SharedCounters();
  readonly #inlineReads: InlineReads;
  readonly #foreignWrites: ForeignWrites;
  readonly #fileWatch: FileWatch;
  readonly #memoryWatch: MemoryWatch | undefined;
  readonly #environment: ConnectionEnvironment;
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
    this.#inlineReads = new InlineReads({
      budgetMs: settings.inlineBudgetMs,
      maxWaiting: settings.maxWaiting,
      announce,
      observer,
      runElsewhere: ({ shape, statement, options, plan }) =>
        this.#readOffloaded(shape, statement, options, plan),
      toError: (error, { statement, options }) => this.#failures.toError(error, statement, options),
    });
    this.#places = new CallPlaces(settings.queryTimeoutMs, observer);
    this.#planner = new Planner({
      prepare: (text) => this.#inlineReads.prepare(text),
      refreshSchema: () => this.#inlineReads.refreshSchema(),
      inlineReads: settings.inlineReads,
    });
    this.#fileWatch = new FileWatch(settings.path);
    this.#failures = new StatementFailures(observer, this.#fileWatch);
    this.#foreignWrites = new ForeignWrites({
      announce,
      clock: systemClock,
      readVersion: () => this.#maintainOnWriter('data-version'),
      noteChange: () => this.#planner.refresh(),
    });
    this.#environment = this.#createEnvironment();
  }

  /** Opens a connection, unless `signal` ends that. The first writer must be open before anything else is. */
  async connect(role: ConnectionRole, signal: AbortSignal): Promise<SqliteConnection> {
    this.#fileWatch.assertSameFile();
    this.#memoryWatch?.assertFirst();
    const environment: WorkerEnvironment = {
      settings: this.#settings,
      interrupter: this.#interrupter,
      observer: this.#observer,
      counters: this.#counters,
      cancelGraceMs: this.#settings.cancelGraceMs,
      findShape: (columns) => this.#rowShapes.get(columns),
      noteCommit: (changes) => this.#noteCommit(changes),
      noteDoubt: (changes) => this.#announceChanges(changes),
      tablesOf: (text) => this.#planner.tablesOf(text),
      noteFailure: (failure) => this.#fileWatch.noteFailure(failure),
      keepsLog: () => this.#fileWatch.isStopped,
    };
    const worker = await WorkerConnection.open(role, environment, signal);
    this.#memoryWatch?.watch(worker.lost);
    return new SqliteConnection(worker, this.#environment);
  }

  /** To be called when the first writer is open. */
  start(sources: SqliteSources): void {
    const { maxWaiting, pooled, path } = this.#settings;
    this.#fileWatch.open();
    this.#writeLane = new Lane(sources.writer, { holder: ENGINE_HOLDERS.groupCommit, maxWaiting });
    if (path !== ':memory:') this.#foreignWrites.start();
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
      connect: (signal) => this.connect('checkpointer', signal),
      onWriter: (task) => this.#maintainOnWriter(task),
      holdHeavyReads: () => this.#readLanes!.holdHeavy(),
      oldestRead: sources.oldestRead,
    });
  }

  /**
   * What the statement does; undefined where only the connection it runs on can tell. @throws the statement's
   * error
   */
  analyze(statement: Statement, options: CallOptions): StatementAnalysis | undefined {
    try {
      return this.#planner.plan(statement.text)?.analysis;
    } catch (error) {
      throw this.#failures.toError(error, statement, options);
    }
  }

  async analyzeOnWriter(statement: Statement, options: CallOptions): Promise<StatementAnalysis> {
    const { text } = statement;
    const { name, signal, timeoutMs = this.#settings.queryTimeoutMs } = options;
    const call = createEngineCall({ kind: 'maintain', task: 'analyze', argument: text }, text);
    try {
      return await startCall({ ...call, name, signal, timeoutMs }, this.#writeLane.submit);
    } catch (error) {
      throw this.#failures.toError(error, statement, options);
    }
  }

  execute<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions = NO_OPTIONS,
  ): Promise<ShapeResult[S]> {
    try {
      options.signal?.throwIfAborted();
      const plan = this.#planner.plan(statement.text);
      if (plan === undefined) return this.#executeUnplanned(shape, statement, options);
      return this.#place(shape, statement, options, plan);
    } catch (error) {
      return Promise.reject(this.#failures.toError(error, statement, options));
    }
  }

  async batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    this.#assertWritable({ text: 'batch', params: [] }, options);
    const texts = statements.map(({ text }) => text);
    for (const text of texts) if (this.#watchesChanges) this.#learn(text);
    const place = this.#places.write(() => joinChanges(texts.map((text) => this.#planner.changesOf(text))));
    return this.#writeCall({ kind: 'batch', statements }, { text: 'batch', params: [] }, options, place);
  }

  async script(text: string, options: CallOptions): Promise<void> {
    this.#assertWritable({ text, params: [] }, options);
    try {
      const place = this.#places.write(() => 'anything');
      await this.#writeCall({ kind: 'script', text }, { text, params: [] }, options, place);
    } finally {
      this.#planner.refresh();
    }
  }

  /** What the statement is, without running it. @throws its error */
  async describe(text: string): Promise<StatementDescription> {
    try {
      const prepared = this.#planner.prepare(text);
      if (prepared !== undefined) return prepared.describe();
      const call = createEngineCall({ kind: 'maintain', task: 'describe', argument: text }, text);
      return await startCall<StatementDescription>(call, this.#writeLane.submit);
    } catch (error) {
      throw this.#failures.toError(error, { text, params: [] }, NO_OPTIONS);
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

  /** Who looks at the pools should not see held what only waits for the next call. */
  giveBackIdle(): void {
    this.#writeLane.giveBackIdle();
    this.#readLanes?.giveBackIdle();
  }

  stats(): SqliteStats {
    return toStats(this.#settings, {
      inline: this.#inlineReads.count,
      offloaded: this.#offloadedCount,
      movedReads: this.#readLanes?.moved ?? 0,
      ...this.#counters.readGroups(),
      checkpoints: this.#governor?.checkpoints ?? 0,
      cancellation: this.#interrupter === undefined ? 'row' : 'interrupt',
    });
  }

  /** After the readers are closed and before the writer is. Settles within `timeoutMs`. */
  async stopServices(timeoutMs: number): Promise<void> {
    this.#foreignWrites.stop();
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
    // Asked when it is answered: by then the schema may be another.
    plan.writePlace ??= this.#places.write(() => this.#planner.changesOf(statement.text));
    const done = this.#writeCall<ShapeResult[S]>(request, statement, options, plan.writePlace);
    return plan.analysis.changesSchema ? done.finally(() => this.#planner.refresh()) : done;
  }

  // oxlint-disable-next-line max-params -- the parts of a call, as everywhere here
  #writeCall<T>(
    request: CallRequest,
    statement: Statement,
    options: CallOptions,
    place: CallPlace,
  ): Promise<T> {
    return startCall(createCall(request, statement, options, place), this.#writeLane.submit);
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
    plan.readPlace ??= this.#places.read(plan.cost);
    const request = { kind: 'statement', shape, statement, grouped: false } as const;
    const submit = this.#readLanes?.submit ?? this.#writeLane.submit;
    return startCall(createCall(request, statement, options, plan.readPlace), submit);
  }

  /** With one connection, or while the file is locked, a worker says what the statement does. */
  async #executeUnplanned<S extends Shape>(
    shape: S,
    statement: Statement,
    options: CallOptions,
  ): Promise<ShapeResult[S]> {
    const analysis = await this.analyzeOnWriter(statement, options);
    options.signal?.throwIfAborted();
    const plan = this.#planner.add(statement.text, analysis);
    return this.#place(shape, statement, options, plan);
  }

  #assertWritable({ text }: Statement, { name }: CallOptions): void {
    this.#beforeWrite();
    if (!this.#settings.readOnly) return this.#fileWatch.assertSound();
    throw new ReadOnlyError('The database was opened with readOnly: true.', { sql: text, queryName: name });
  }

  #noteCommit(changes: Changes): void {
    this.#fileWatch.noteCommit();
    this.#governor?.noteCommit();
    this.#announceChanges(changes);
  }

  #announceChanges(changes: Changes): void {
    if (changes.length === 0 || !this.#watchesChanges) return;
    if (changes === 'anything') this.#planner.refresh();
    const tables = changes === 'anything' ? undefined : changes;
    this.#announce.emit('data:change', { tables, source: 'local' });
  }

  get #watchesChanges(): boolean {
    return this.#announce.has('data:change');
  }

  /**
   * Has the writer say what a text does, where this thread cannot. Answered before what is sent behind it.
   */
  #learn(text: string): void {
    if (this.#planner.tryPlan(text) !== undefined) return;
    askForAnalysis(text, this.#writeLane.submit, (analysis) => {
      if (analysis !== undefined) this.#planner.add(text, analysis);
    });
  }

  #createEnvironment(): ConnectionEnvironment {
    return {
      observer: this.#observer,
      queryTimeoutMs: this.#settings.queryTimeoutMs,
      streamIdleTimeoutMs: this.#settings.streamIdleTimeoutMs,
      writes: (text) => this.analyze({ text, params: [] }, NO_OPTIONS)?.writes,
      watchesChanges: () => this.#watchesChanges,
      analysisOf: (text) => this.#planner.tryPlan(text)?.analysis,
      writeElsewhere: (shape, statement, options) => this.execute(shape, statement, options),
      batchElsewhere: (statements, options) => this.batch(statements, options),
      scriptElsewhere: (text, options) => this.script(text, options),
      assertSound: () => this.#fileWatch.assertSound(),
    };
  }
}
