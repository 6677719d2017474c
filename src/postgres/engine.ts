import {
  acquireWithin,
  type BatchItemResult,
  type CallOptions,
  type LeaseLike,
  type QueryObserver,
  type Shape,
  type ShapeResult,
  type Statement,
  type StatementDescription,
} from '../driver/index.ts';
import type { Announcer } from '../events/index.ts';
import { joinChanges, type Changes } from './changes.ts';
import type { Sending } from './call-sender.ts';
import { CallQueue } from './call-queue.ts';
import { failCall } from './call-settlement.ts';
import { openSocket } from './client.ts';
import { PostgresConnection, type ConnectionEnvironment } from './connection.ts';
import { setupText } from './connection-setup.ts';
import { Descriptions } from './description.ts';
import { ENGINE_CONNECTIONS, type PostgresSources } from './engine-connections.ts';
import { PostgresLink } from './link.ts';
import {
  createBatchCall,
  createCall,
  createScriptCall,
  renewSteps,
  startCall,
  type CallPlace,
  type PendingCall,
} from './pending-call.ts';
import { GroupedWrites } from './grouped-writes.ts';
import { OwnQuestions } from './own-questions.ts';
import { WayThere, type Weight, type WorkDone } from './cost-model.ts';
import { PlanCache, type Plan } from './plan.ts';
import type { PostgresStats } from './postgres-stats.ts';
import type { ServerFailure } from './server-error.ts';
import { serverLimits } from './server-limits.ts';
import { PreparedStatements, type SchemaVersion } from './statement-store.ts';
import { SharedReads } from './shared-reads.ts';
import { TableKnowledge } from './table-knowledge.ts';
import { RowShapes } from './row-shape.ts';
import type { ConnectionRole, PostgresSettings } from './settings.ts';

export interface PostgresEngineParts {
  readonly settings: PostgresSettings;
  readonly announce: Announcer;
  readonly observer: QueryObserver;
}

/** A read that loses its connection more often than this may be the reason. */
const MAX_READS_AGAIN = 2;

/** Connections have numbers of their own, whatever server they are to. */
let lastConnectionId = 0;

/**
 * One PostgreSQL server: makes connections for the pools, and places every statement outside a transaction.
 */
export class PostgresEngine {
  readonly dialect = 'postgres';
  readonly #settings: PostgresSettings;
  readonly #announce: Announcer;
  readonly #observer: QueryObserver;
  readonly #way = new WayThere();
  readonly #schema: SchemaVersion = { current: 0 };
  readonly #knowledge: TableKnowledge;
  readonly #shapes = new RowShapes();
  readonly #plans: PlanCache;
  readonly #descriptions: Descriptions;
  readonly #environment: ConnectionEnvironment;
  readonly #place: CallPlace;
  #sources!: PostgresSources;
  #reads: SharedReads | undefined;
  #writes: GroupedWrites | undefined;
  #questions!: OwnQuestions;
  #underWay = 0;
  #sharedCount = 0;
  #aloneCount = 0;
  /** Calls about which the server is asked first. */
  readonly #unlearned = new CallQueue();
  /** Settles when it is known what the writes in line touch. */
  #learning: Promise<unknown> | undefined;

  constructor({ settings, announce, observer }: PostgresEngineParts) {
    this.#settings = settings;
    this.#announce = announce;
    this.#observer = observer;
    this.#plans = new PlanCache(this.#keepsStatements, settings.readOnly);
    this.#descriptions = new Descriptions({
      borrow: (work) => this.#onConnection('describe', work),
      planOf: (text) => this.#plans.get(text),
    });
    this.#knowledge = new TableKnowledge(this.#descriptions, this.#plans);
    this.#environment = this.#createEnvironment();
    this.#place = {
      placement: 'connection',
      transactionId: undefined,
      queryTimeoutMs: settings.queryTimeoutMs,
      serverLimits: serverLimits(settings),
      observer,
    };
  }

  /** Opens a connection for a pool. @throws ConnectionError */
  async connect(role: ConnectionRole, signal: AbortSignal): Promise<PostgresConnection> {
    const setup = (given: ReadonlyMap<string, string>): string => setupText(this.#settings, role, given);
    const socket = await openSocket(this.#settings, setup, signal);
    lastConnectionId += 1;
    const statements = new PreparedStatements(this.#settings.statementCacheSize, this.#schema);
    const link = new PostgresLink(lastConnectionId, socket, statements);
    return new PostgresConnection(link, this.#environment, setup(socket.parameters));
  }

  start(sources: PostgresSources): void {
    this.#sources = sources;
    const { shared, grouped } = sources;
    const runAlone = (call: PendingCall): void => void this.#runAlone(call);
    if (shared !== undefined) {
      this.#reads = new SharedReads({
        source: shared,
        maxConnections: ENGINE_CONNECTIONS.shared,
        environment: this.#environment,
        costOf: ({ plans: [plan] }) => plan!.cost.beyond(this.#way.micros),
        wayMs: () => this.#way.ms,
        runAlone,
      });
    }
    const reads = this.#reads;
    this.#questions = new OwnQuestions({
      planOf: (text) => this.#plans.get(text),
      submit: reads === undefined ? undefined : (call) => reads.submit(call),
      connections: sources.connections,
      connect: (signal) => this.connect('connection', signal),
    });
    if (grouped === undefined) return;
    this.#writes = new GroupedWrites({
      source: grouped,
      maxConnections: ENGINE_CONNECTIONS.grouped,
      maxWaiting: this.#settings.maxWaiting,
      environment: this.#environment,
      isCheap: (call) => this.#weigh(call, 'write') === 'cheap',
      runAlone,
    });
  }

  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]> {
    return this.#begin(() => {
      const plan = this.#plans.get(statement.text);
      return createCall({ form: shape, statement, plan }, options, this.#place);
    });
  }

  async batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    if (statements.length === 0) return [];
    return this.#begin(() => {
      const plans = statements.map(({ text }) => this.#plans.get(text));
      return createBatchCall(statements, plans, { options, place: this.#place });
    });
  }

  async script(text: string, options: CallOptions): Promise<void> {
    return this.#begin(() => createScriptCall(text, this.#plans.get(text), options, this.#place));
  }

  async *stream(
    statement: Statement,
    options: CallOptions,
  ): AsyncGenerator<Record<string, unknown>[], undefined> {
    const { name, signal, timeoutMs = this.#settings.queryTimeoutMs } = options;
    const plan = this.#plans.get(statement.text);
    const limits = { name, signal, timeoutMs, startedAt: performance.now(), mayWrite: plan.mayWrite };
    const lease = await acquireWithin(this.#sources.connections, limits, name ?? 'stream');
    const release = () => giveBack(lease);
    try {
      // A consumer that silently stops reading would keep the lease, so the stream itself gives it back.
      yield* lease.resource.rows(statement, options, release);
      return undefined;
    } finally {
      release();
    }
  }

  describe(text: string): Promise<StatementDescription> {
    return this.#descriptions.get(text);
  }

  /** A question of millpond's own: see {@link OwnQuestions}. */
  ask(statement: Statement, timeoutMs: number): Promise<unknown[][]> {
    return this.#questions.ask(statement, timeoutMs);
  }

  /** The same on a connection opened for it: whatever the others do, it says whether the server answers. */
  askApart(statement: Statement, timeoutMs: number): Promise<unknown[][]> {
    return this.#questions.askApart(statement, timeoutMs);
  }

  /** By what is known of the text: false only where nothing it does could last. */
  mayWrite(text: string): boolean {
    return this.#plans.get(text).seemsToWrite;
  }

  /** See {@link PlanCache.mayCommitEarly}. */
  get mayCommitEarly(): boolean {
    return this.#plans.mayCommitEarly;
  }

  /** Accepted and not answered. */
  pendingCalls(): number {
    return (
      this.#underWay + this.#unlearned.length + (this.#reads?.pending ?? 0) + (this.#writes?.pending ?? 0)
    );
  }

  /** Who looks at the pools should not see held what only waits for the next call. */
  giveBackIdle(): void {
    this.#reads?.giveBackIdle();
    this.#writes?.giveBackIdle();
  }

  stats(): PostgresStats {
    return {
      shared: this.#sharedCount,
      alone: this.#aloneCount,
      movedReads: this.#reads?.moved ?? 0,
      groupCommits: this.#writes?.groupCommits ?? 0,
      groupedWrites: this.#writes?.groupedWrites ?? 0,
    };
  }

  #begin<T>(create: () => PendingCall): Promise<T> {
    try {
      const call = create();
      return startCall(call, (started) => this.#submit(started));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #submit(call: PendingCall): void {
    const learning = this.#learnFirst(call);
    if (learning === undefined) return this.#send(call);
    this.#unlearned.push(call);
    void learning.then(() => this.#unlearned.take(call) && this.#send(call));
  }

  #send(call: PendingCall): void {
    if (call.kind === 'statement' && call.serverLimitMs === undefined) {
      const { kind, mayShare } = call.plans[0]!;
      if (kind === 'read' && mayShare && this.#reads !== undefined && this.#weigh(call, 'read') === 'cheap') {
        this.#sharedCount += 1;
        // There the server lets nothing be written.
        call.mayWrite = false;
        return this.#reads.submit(call);
      }
      if (kind === 'write' && this.#writes !== undefined && this.#weigh(call, 'write') !== 'heavy') {
        return this.#writes.submit(call);
      }
    }
    void this.#runAlone(call);
  }

  #weigh({ plans: [plan] }: PendingCall, kind: 'read' | 'write'): Weight {
    return plan!.cost.weigh(this.#way.micros, kind);
  }

  /**
   * Where somebody listens for what is changed, a write waits until that is known, and the writes behind it
   * wait with it, so that they keep the order of the calls. A read waits only for what it touches itself, and
   * not the first time unless it may call something that writes.
   */
  #learnFirst(call: PendingCall): Promise<unknown> | undefined {
    const isTold = call.context !== undefined;
    if (!isTold && !this.#environment.isWatched()) return call.mayWrite ? this.#learning : undefined;
    const unknown = call.plans.filter((plan) => this.#knowledge.isToLearn(plan));
    const writes = unknown.filter(({ kind }) => kind === 'write');
    const reads = unknown.filter(
      (plan) => plan.kind === 'read' && ((plan.isUsedAgain && isTold) || plan.mayWrite),
    );
    const asked = Promise.all(reads.map((plan) => this.#learn(plan)));
    if (writes.length === 0) {
      if (reads.length === 0) return call.mayWrite ? this.#learning : undefined;
      return call.mayWrite ? Promise.all([this.#learning, asked]) : asked;
    }
    const learning = Promise.all([this.#learning, asked, ...writes.map((plan) => this.#learn(plan))]);
    this.#learning = learning;
    void learning.then(() => {
      if (this.#learning === learning) this.#learning = undefined;
    });
    return learning;
  }

  /** Never rejects: what cannot be found out is noted as unknown. */
  async #learn(plan: Plan): Promise<void> {
    await this.#onConnection('describe', (connection) => this.#knowledge.learn(connection, plan)).catch(
      () => undefined,
    );
  }

  /** On a connection of its own, from the pool. */
  async #runAlone(call: PendingCall): Promise<void> {
    this.#underWay += 1;
    this.#aloneCount += 1;
    call.placement = 'connection';
    if (call.kind === 'statement') call.mayWrite = call.plans[0]!.mayWrite;
    const over = (lease?: LeaseLike<PostgresConnection>) => {
      this.#underWay -= 1;
      if (lease !== undefined) giveBack(lease);
    };
    const sending = (lease: LeaseLike<PostgresConnection>): Sending => ({
      moves: (failure) => this.#again(call, failure),
      over: () => over(lease),
    });
    const ready = call.signal?.aborted === true ? undefined : this.#sources.connections.tryAcquire();
    if (ready !== undefined) return ready.resource.send(call, sending(ready));
    try {
      const lease = await acquireWithin(this.#sources.connections, call, call.name ?? call.text.slice(0, 60));
      lease.resource.send(call, sending(lease));
    } catch (error) {
      over();
      failCall(call, error);
    }
  }

  /** A read whose connection was lost is sent once more: it has changed nothing, and others may be there. */
  #again(call: PendingCall, failure: ServerFailure | undefined): (() => void) | undefined {
    if (failure !== undefined || call.mayWrite || call.retries >= MAX_READS_AGAIN) return undefined;
    call.retries += 1;
    return () => void this.#runAlone(renewSteps(call));
  }

  async #onConnection<T>(holder: string, work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const lease = await this.#sources.connections.acquire({ holder });
    try {
      return await work(lease.resource);
    } finally {
      giveBack(lease);
    }
  }

  get #keepsStatements(): boolean {
    return this.#settings.preparedStatements && !this.#settings.throughPooler;
  }

  #createEnvironment(): ConnectionEnvironment {
    const { queryTimeoutMs, cancelGraceMs, streamIdleTimeoutMs } = this.#settings;
    return {
      shapes: this.#shapes,
      keepsStatements: this.#keepsStatements,
      observer: this.#observer,
      cancelGraceMs,
      queryTimeoutMs,
      streamIdleTimeoutMs,
      serverLimits: serverLimits(this.#settings),
      planOf: (text) => this.#plans.get(text),
      knowledge: this.#knowledge,
      isWatched: () => this.#announce.has('data:change'),
      announceChanges: (changes) => this.#announceChanges(changes),
      workedMs: (answer) => this.#way.workedMs(answer),
      noteDone: (call, work) => this.#noteDone(call, work),
      noteCommit: (call) => this.#noteCommit(call),
      noteDefinitions: (plans) => this.#noteDefinitions(plans),
      isCommitted: (transactionId) => this.#questions.isCommitted(transactionId),
    };
  }

  #noteDone({ kind, plans, placement }: PendingCall, { rows, ranMs }: WorkDone): void {
    if (kind !== 'statement') return;
    const plan = plans[0]!;
    plan.cost.record((this.#way.ms + ranMs) * 1_000, rows);
    // Where it ran, the server lets nothing be written.
    if (placement === 'worker') plan.hasOnlyRead = true;
  }

  #noteCommit({ plans, mayWrite, observer }: PendingCall): void {
    // What nobody is told of, the engine itself has asked.
    if (!mayWrite || observer === undefined) return;
    const changes = plans.map((plan) => this.#knowledge.changesOf(plan) ?? 'anything');
    this.#noteDefinitions(plans);
    if (this.#environment.isWatched()) this.#announceChanges(joinChanges(changes));
  }

  /** After a definition, or something that cannot be examined, what was known may no longer be true. */
  #noteDefinitions(plans: readonly Plan[]): void {
    if (!plans.some(({ kind, isIdle }) => kind === 'other' && !isIdle)) return;
    this.#schema.current += 1;
    this.#knowledge.forget();
  }

  #announceChanges(changes: Changes): void {
    if (changes.length === 0) return;
    const tables = changes === 'anything' ? undefined : changes;
    this.#announce.emit('data:change', { tables, source: 'local' });
  }
}

function giveBack(lease: LeaseLike<PostgresConnection>): void {
  lease.release(lease.resource.usable ? 'reuse' : 'discard');
}
