import type {
  BatchItemResult,
  BeginOptions,
  CallOptions,
  CopySource,
  DriverConnection,
  QueryObserver,
  RunResult,
  Shape,
  ShapeResult,
  Statement,
} from '../driver/index.ts';
import { ConnectionError, QueryExecutionError } from '../errors/index.ts';
import type { Changes } from './changes.ts';
import {
  CallSender,
  GUARD,
  liftsForSession,
  NO_SENDING,
  type SenderEnvironment,
  type Sending,
} from './call-sender.ts';
import { DescribeExchange, type StatementShape } from './describe-exchange.ts';
import { ConnectionCopies } from './connection-copies.ts';
import type { PostgresLink } from './link.ts';
import {
  createBatchCall,
  createCall,
  createScriptCall,
  engineStep,
  startCall,
  toChunkCall,
  type CallPlace,
  type Chunk,
  type PendingCall,
} from './pending-call.ts';
import { Plan } from './plan.ts';
import type { ResultForm } from './result-reader.ts';
import { RowStream } from './row-stream.ts';
import { NO_SERVER_LIMITS } from './server-limits.ts';
import type { ServerFailure } from './server-error.ts';
import type { Portal } from './statement-exchange.ts';
import type { TableKnowledge } from './table-knowledge.ts';
import { TransactionControl } from './transaction-control.ts';
import { connectionLostError, translateFailure } from './translate-failure.ts';

/** What a connection needs of the engine that it belongs to. */
export interface ConnectionEnvironment extends SenderEnvironment {
  readonly observer: QueryObserver;
  readonly queryTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  /** @throws UsageError where the text controls transactions */
  planOf(text: string): Plan;
  readonly knowledge: TableKnowledge;
  /** Whether the server may keep statements under names. */
  readonly keepsStatements: boolean;
  /** Whether anyone listens for changes. */
  isWatched(): boolean;
  announceChanges(changes: Changes): void;
  /** Told of what was done, inside transactions too: definitions make prepared statements stale. */
  noteDefinitions(plans: readonly Plan[]): void;
  /** Whether a transaction became part of the database. @returns undefined where that cannot be found out */
  isCommitted(transactionId: string): Promise<boolean | undefined>;
}

/** The name under which a statement is explained. */
const EXPLAINED = 'millpond_explained';
/** https://www.postgresql.org/docs/current/sql-discard.html */
const RESET_TEXT = 'discard all';
/** For each statement that makes a session as it was; a connection that takes longer is not worth keeping. */
const RESET_TIMEOUT_MS = 5_000;

/** One PostgreSQL connection as the pool keeps it and a transaction uses it. */
export class PostgresConnection implements DriverConnection {
  readonly link: PostgresLink;
  readonly #environment: ConnectionEnvironment;
  readonly #sender: CallSender;
  readonly #control: TransactionControl;
  readonly #copies: ConnectionCopies;
  readonly #setup: string;
  /** Something was left behind in the session, for whoever comes next. */
  #isDirty = false;
  readonly #alone: CallPlace;
  /** In the transaction that was begun last. */
  #inside: CallPlace;

  /** @param setup the text that sets a session up, to be run again after a reset */
  constructor(link: PostgresLink, environment: ConnectionEnvironment, setup: string) {
    this.link = link;
    this.#environment = environment;
    this.#setup = setup;
    this.#sender = new CallSender(link, environment);
    this.#control = new TransactionControl(link, environment, (plan) =>
      environment.knowledge.learn(this, plan),
    );
    this.#copies = new ConnectionCopies(link, environment, this.#control);
    const { queryTimeoutMs, serverLimits, observer } = environment;
    this.#alone = {
      placement: 'connection',
      transactionId: undefined,
      queryTimeoutMs,
      serverLimits,
      observer,
    };
    this.#inside = this.#alone;
  }

  get id(): number {
    return this.link.id;
  }

  get usable(): boolean {
    return this.link.usable;
  }

  get lost(): Promise<Error> {
    return this.link.lost;
  }

  /** Nothing is under way on it, no transaction is open, and its session is as it was. */
  get isClean(): boolean {
    return this.link.isIdle && this.link.status === 'I' && !this.#isDirty;
  }

  execute<S extends Shape>(shape: S, statement: Statement, options: CallOptions): Promise<ShapeResult[S]> {
    return this.#start(() => this.#describe(shape, statement, options));
  }

  async batch(statements: readonly Statement[], options: CallOptions): Promise<BatchItemResult[]> {
    if (statements.length === 0) return [];
    const plans = statements.map(({ text }) => this.#environment.planOf(text));
    const given = { options, place: this.#place };
    return this.#start(
      () => createBatchCall(statements, plans, given),
      this.#control.isOpen ? GUARDED : NO_SENDING,
    );
  }

  async script(text: string, options: CallOptions): Promise<void> {
    const plan = this.#environment.planOf(text);
    const sending = this.#control.isOpen ? { isBarrier: true } : NO_SENDING;
    return this.#start(() => createScriptCall(text, plan, options, this.#place), sending);
  }

  stream(statement: Statement, options: CallOptions): AsyncIterableIterator<Record<string, unknown>[]> {
    return this.rows(statement, options);
  }

  begin(options: BeginOptions): Promise<void> {
    return this.#control.begin(options);
  }

  commit(): Promise<void> {
    return this.#control.commit();
  }

  rollback(): Promise<void> {
    return this.#control.rollback();
  }

  /** Judged by its words: a function of the user's own that writes is stopped only by the server. */
  mayWrite(text: string): boolean {
    const { kind, isIdle, seemsToWrite } = this.#environment.planOf(text);
    return kind === 'read' ? seemsToWrite : !isIdle;
  }

  savepoint(name: string): Promise<void> {
    return this.#control.run(`savepoint ${name}`);
  }

  releaseSavepoint(name: string): Promise<void> {
    return this.#control.run(`release savepoint ${name}`);
  }

  rollbackToSavepoint(name: string): Promise<void> {
    return this.#control.rollbackTo(name);
  }

  /** @throws UsageError for another statement than COPY … FROM STDIN */
  copyIn(text: string, source: CopySource, options: CallOptions): Promise<RunResult> {
    return this.#copies.copyIn(text, source, options);
  }

  copyOut(text: string, options: CallOptions): AsyncIterableIterator<Uint8Array> {
    return this.#copies.copyOut(text, options);
  }

  cancelPending(reason: Error): void {
    this.#copies.endAll(reason);
    this.#sender.endAll(reason);
  }

  cutOff(reason: Error): void {
    this.link.destroy(reason);
  }

  /** Sends a call that was made elsewhere, outside any transaction. */
  send(call: PendingCall, sending: Sending): void {
    this.#noteTraces(call);
    this.#sender.send(call, sending);
  }

  /** Lets go of a call that is sent elsewhere. */
  abandon(call: PendingCall): void {
    this.#sender.abandon(call);
  }

  startChunk(call: PendingCall, portal: Portal): Promise<Chunk> {
    return this.#start(() => toChunkCall(call, portal));
  }

  /** A call for further rows of a statement, which was reported when it began. */
  describeFetch({ text }: Statement, options: CallOptions): PendingCall {
    const place = { ...this.#place, observer: undefined };
    return createCall(
      { form: 'all', statement: { text, params: [] }, plan: this.#environment.planOf(text) },
      options,
      place,
    );
  }

  closePortal(name: string): Promise<void> {
    return this.#control.closePortal(name);
  }

  /**
   * A stream.
   * @param onEnd called once, when the stream no longer needs this connection: also when its consumer stops
   * reading
   */
  rows(statement: Statement, options: CallOptions, onEnd?: () => void): RowStream {
    const ownsTransaction = !this.#control.isOpen;
    const { streamIdleTimeoutMs: idleTimeoutMs } = this.#environment;
    return new RowStream({ connection: this, statement, options, ownsTransaction, idleTimeoutMs, onEnd });
  }

  /** A call in the place where calls of this connection are now. @throws UsageError */
  describe(form: ResultForm, statement: Statement, options: CallOptions): PendingCall {
    return this.#describe(form, statement, options);
  }

  /**
   * What a statement takes and gives. Without an answer within the time of a query, the connection is given
   * up: others wait for what is learned here.
   * @throws the error of a statement that cannot be prepared
   */
  async describeStatement(text: string): Promise<StatementShape> {
    const { queryTimeoutMs } = this.#environment;
    const giveUp = (): void =>
      this.cutOff(new Error(`the server did not answer within ${queryTimeoutMs} ms`));
    const timer = queryTimeoutMs === 0 ? undefined : setTimeout(giveUp, queryTimeoutMs).unref();
    return this.#describeStatement(text).finally(() => clearTimeout(timer));
  }

  #describeStatement(text: string): Promise<StatementShape> {
    return new Promise((resolve, reject) => {
      const answered = (shape: StatementShape, failure: ServerFailure | undefined): void => {
        if (failure === undefined) resolve(shape);
        else reject(translateFailure(failure, { text, name: undefined, params: [] }));
      };
      const lost = ({ error }: { error: Error }): void => reject(connectionLostError(error));
      this.link.send(new DescribeExchange({ text, answered, lost }));
    });
  }

  /** The plan of a statement for any parameters. @returns undefined where the statement has none */
  async explain(text: string, parameters: number): Promise<unknown> {
    const values = parameters === 0 ? '' : `(${new Array<string>(parameters).fill('null').join(', ')})`;
    const statements = [
      'set local plan_cache_mode = force_generic_plan',
      `prepare ${EXPLAINED} as ${text}`,
      `explain (format json, verbose) execute ${EXPLAINED}${values}`,
      `deallocate ${EXPLAINED}`,
    ].map((statement) => ({ text: statement, params: [] }));
    const plans = statements.map((statement) => new Plan(statement.text, false));
    const call = createBatchCall(statements, plans, { options: {}, place: this.#quiet });
    try {
      const results = await startCall<BatchItemResult[]>(call, (started) => this.#sender.send(started));
      return Object.values(results[2]!.rows[0]!)[0];
    } catch (error) {
      if (error instanceof QueryExecutionError) return undefined;
      throw error;
    }
  }

  /** A question of the engine's own, which is not reported to anybody. */
  ask(statement: Statement, timeoutMs?: number): Promise<unknown[][]> {
    const plan = this.#environment.planOf(statement.text);
    const call = createCall({ form: 'arrays', statement, plan }, { timeoutMs }, this.#quiet);
    return startCall(call, (started) => this.#sender.send(started));
  }

  async ping(): Promise<boolean> {
    // The pool has a limit for it.
    await this.#own('select 1', 0);
    return this.usable;
  }

  /** Waits for what is under way, and makes the session as it was when opened. @returns whether it is */
  async clean(): Promise<boolean> {
    await this.link.idle();
    if (this.link.status !== 'I' || this.#control.isOpen) return false;
    if (!this.#isDirty) return this.usable;
    await this.#own(RESET_TEXT, RESET_TIMEOUT_MS);
    this.link.statements.forgetAll();
    if (this.#setup !== '') await this.#own(this.#setup, RESET_TIMEOUT_MS);
    this.#isDirty = false;
    return this.usable;
  }

  /** Ends the connection: in order where it is sound, by cutting it off otherwise. */
  async end(reason: string, timeoutMs: number): Promise<void> {
    this.cancelPending(closedError(reason));
    await this.link.close(timeoutMs);
    this.#sender.stop();
  }

  /** Of the engine's own, within the limits that the session has. */
  get #quiet(): CallPlace {
    return { ...this.#alone, observer: undefined, serverLimits: NO_SERVER_LIMITS };
  }

  get #place(): CallPlace {
    const { transactionId } = this.#control;
    if (transactionId === undefined) return this.#alone;
    if (this.#inside.transactionId !== transactionId) this.#inside = { ...this.#alone, transactionId };
    return this.#inside;
  }

  #describe(form: ResultForm, statement: Statement, options: CallOptions): PendingCall {
    const plan = this.#environment.planOf(statement.text);
    return createCall({ form, statement, plan }, options, this.#place);
  }

  async #own(text: string, timeoutMs: number): Promise<void> {
    const plan = this.#environment.planOf(text);
    const call = createScriptCall(text, plan, { timeoutMs }, this.#quiet);
    await startCall(call, (started) => this.#sender.send(started));
  }

  #start<T>(create: () => PendingCall, sending: Sending = NO_SENDING): Promise<T> {
    try {
      const call = create();
      return startCall(call, (started) => this.#send(started, sending));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #send(call: PendingCall, sending: Sending): void {
    this.#noteTraces(call);
    if (!this.#control.isOpen || call.signal?.aborted === true) return this.#sender.send(call, sending);
    // Its text is sent as it is, and nothing goes along with it.
    if (call.kind === 'script') this.#control.sendBegin();
    this.#sender.send(call, this.#control.join(sending, call));
  }

  #noteTraces(call: PendingCall): void {
    if (liftsForSession(call)) this.#isDirty = true;
    for (const { leavesTraces, forgetsStatements } of call.plans) {
      if (leavesTraces) this.#isDirty = true;
      if (forgetsStatements) this.link.statements.forgetAll();
    }
  }
}

/** A batch inside a transaction is undone alone. */
const GUARDED: Sending = {
  isBarrier: true,
  before: [engineStep(`savepoint ${GUARD}`)],
  after: [engineStep(`release savepoint ${GUARD}`)],
};

function closedError(reason: string): ConnectionError {
  return new ConnectionError(`The connection was closed while this call was under way: ${reason}.`, {
    code: 'ERR_MILLPOND_CLOSED',
  });
}
