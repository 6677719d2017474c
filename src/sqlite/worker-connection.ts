import { waitAtMost } from '../async/index.ts';
import {
  armGrace,
  CallAlarms,
  disarm,
  NEVER_SENT,
  type CancelReason,
  type QueryObserver,
  type StatementTables,
} from '../driver/index.ts';
import { ConnectionError, OutcomeUnknownError } from '../errors/index.ts';
import { readAnswer, type Answer } from './answer-decoding.ts';
import { CallQueue } from './call-queue.ts';
import { CallSettlement } from './call-settlement.ts';
import { CancelBoard } from './cancel-board.ts';
import type { Changes } from './changes.ts';
import { isStopped, type Failure } from './failure.ts';
import type { Interrupter } from './interrupt.ts';
import { createEngineCall, startCall, type PendingCall } from './pending-call.ts';
import { PendingCalls } from './pending-calls.ts';
import {
  Cursor,
  type Answers,
  isOutcomeUnknown,
  KEEP_LOG,
  type MaintenanceTask,
  type Wire,
  type WorkerStart,
} from './protocol.ts';
import { Outbox } from './outbox.ts';
import type { RowShape } from './row-builder.ts';
import { isDurable, type ConnectionRole, type ConnectionSettings } from './settings.ts';
import type { SharedCounters } from './shared-counters.ts';
import { fullError } from './full-error.ts';
import { Stopper } from './stopper.ts';
import { connectionLostError, translateFailure } from './translate-failure.ts';
import { WorkerThread, type ThreadListener } from './worker-thread.ts';

/** What all connections of one database share. */
export interface WorkerEnvironment {
  readonly settings: ConnectionSettings;
  readonly interrupter: Interrupter | undefined;
  readonly observer: QueryObserver;
  readonly counters: SharedCounters;
  readonly cancelGraceMs: number;
  readonly findShape: (columns: readonly string[]) => RowShape;
  /** Something was committed. */
  noteCommit(changes: Changes): void;
  /** Something may have been committed. */
  noteDoubt(changes: Changes): void;
  /** What the text touches, where that is known already. */
  tablesOf(text: string): StatementTables | undefined;
  /** Told of every failure: some mean that the file can no longer be trusted. */
  noteFailure(failure: Failure): void;
  /** Whether closing must leave the file and its log as they are. */
  keepsLog(): boolean;
}

/** Sequence numbers fit the signed cells of the cancel board. */
const MAX_SEQ = 0x3fff_ffff;
/** Most calls of one holder that may wait for a slot. */
const MAX_OVERFLOW = 100_000;
let lastConnectionId = 0;

/**
 * The main thread's end of one worker: numbers the calls, sends those of one tick in one message, and settles
 * each when its answer comes. Calls are executed in the order in which they were made.
 */
export class WorkerConnection {
  readonly id: number = (lastConnectionId += 1);
  readonly role: ConnectionRole;
  /** Resolves with the reason when the worker was lost; never on an orderly close. */
  readonly lost: Promise<Error>;
  /** Called after the answers of one message were delivered. */
  onAnswered: (() => void) | undefined;

  readonly #environment: WorkerEnvironment;
  readonly #thread: WorkerThread;
  readonly #board: CancelBoard;
  readonly #stopper: Stopper;
  readonly #outbox: Outbox;
  readonly #settlement: CallSettlement;
  readonly #alarms = new CallAlarms<PendingCall>({
    calls: () => this.#pending.values(),
    cancel: (call, reason) => this.cancel(call, reason),
  });
  readonly #pending = new PendingCalls(CancelBoard.capacity);
  readonly #overflow = new CallQueue<PendingCall>();
  #lastSeq = 0;
  #usable = true;
  #closing = false;
  #isLost = false;
  #markLost: (reason: Error) => void = () => undefined;

  private constructor(
    role: ConnectionRole,
    environment: WorkerEnvironment,
    thread: WorkerThread,
    board: SharedArrayBuffer,
  ) {
    this.role = role;
    this.#environment = environment;
    this.#thread = thread;
    this.#board = new CancelBoard(board);
    this.#stopper = new Stopper(this.#board, environment.interrupter);
    this.#settlement = new CallSettlement(environment, this.id);
    const { settings } = environment;
    this.#outbox = new Outbox({
      statementCacheSize: settings.statementCacheSize,
      keepsTogether: role === 'writer' && isDurable(settings),
      send: (wire) => this.#post(wire),
    });
    this.lost = new Promise((resolve) => (this.#markLost = resolve));
  }

  /**
   * Starts a worker and waits until its connection is open. @param signal ends it before that
   * @throws ConnectionError, the worker being gone then
   */
  static async open(
    role: ConnectionRole,
    environment: WorkerEnvironment,
    signal: AbortSignal,
  ): Promise<WorkerConnection> {
    const board = new SharedArrayBuffer(CancelBoard.sizeBytes);
    const start: WorkerStart = {
      settings: environment.settings,
      role,
      board,
      counters: environment.counters.buffer,
      interruptLibrary: environment.interrupter?.libraryPath,
    };
    const thread = new WorkerThread(start);
    const connection = new WorkerConnection(role, environment, thread, board);
    const listener: ThreadListener = {
      onAnswers: (answers) => connection.#receive(answers),
      onError: () => (connection.#usable = false),
      onEnd: (reason) => connection.#lose(reason),
    };
    const ready = await thread.listen(listener, signal);
    if (!ready.ready) {
      await thread.terminate();
      environment.noteFailure(ready);
      const cause = translateFailure(ready);
      const { path } = environment.settings;
      throw new ConnectionError(`The ${role} of ${path} could not be opened: ${cause.message}`, { cause });
    }
    connection.#stopper.opened(ready.interruptKey);
    thread.keepAlive(false);
    return connection;
  }

  get usable(): boolean {
    return this.#usable && !this.#closing;
  }

  /** False while as many calls are on their way as the cancel board has slots for. */
  get hasRoom(): boolean {
    return this.#pending.size < CancelBoard.capacity / 2;
  }

  get inFlight(): number {
    return this.#pending.size + this.#overflow.length;
  }

  /** The call that the worker executes right now, if any. */
  get runningCall(): PendingCall | undefined {
    return this.#pending.get(this.#board.running);
  }

  /** Sends a call, behind those sent before. Settles its promise in every outcome. */
  send(call: PendingCall): void {
    if (!this.usable) return this.#refuse(call, connectionLostError(undefined));
    if (call.signal?.aborted === true) return this.#refuse(call, call.signal.reason);
    if (this.#isFull || this.#overflow.length > 0) return this.#queue(call);
    this.#dispatch(call);
  }

  /** More calls than slots on the cancel board: the rest goes out as answers come in. */
  #queue(call: PendingCall): void {
    if (this.#overflow.length >= MAX_OVERFLOW)
      return this.#refuse(call, fullError('a connection', MAX_OVERFLOW));
    this.#overflow.push(call);
  }

  get #isFull(): boolean {
    return this.#pending.size >= CancelBoard.capacity - 1;
  }

  #dispatch(call: PendingCall): void {
    call.seq = this.#nextSeq();
    try {
      // Without an interrupt the worker looks out for a cancellation between rows.
      this.#outbox.write(call, !this.#stopper.canInterrupt);
    } catch (error) {
      return this.#refuse(call, error);
    }
    this.#board.open(call.seq);
    this.#pending.set(call);
    this.#alarms.arm(call);
    call.sentAt = performance.now();
    this.#outbox.flushSoon();
  }

  maintain(task: MaintenanceTask, argument: string | null = null): Promise<unknown> {
    return startCall(createEngineCall({ kind: 'maintain', task, argument }, task), (call) => this.send(call));
  }

  /**
   * Takes back the reads that were sent, except the one that runs, so that they can be sent elsewhere. Also
   * those that have run: their answers wait behind that one, and reading again does no harm.
   */
  withdrawReads(): PendingCall[] {
    const withdrawn: PendingCall[] = [];
    const { running } = this.#board;
    for (const call of this.#pending.values()) {
      const isRead = !call.mayWrite && call.request.kind === 'statement' && call.seq !== running;
      if (!isRead || call.settled || call.cancelReason !== undefined) continue;
      this.#board.withdraw(call.seq);
      // The worker will answer nevertheless, with rows or with the word that it skipped the call; this entry
      // receives that answer.
      this.#pending.set({ ...call, settled: true });
      disarm(call);
      withdrawn.push(call);
    }
    return withdrawn;
  }

  /** Ends a call early, as surely as can be done; see {@link CallEnding} for what its error is told. */
  cancel(call: PendingCall, reason: CancelReason): void {
    if (call.settled || call.cancelReason !== undefined) return;
    const state = this.#board.cancel(call.seq);
    // A statement that its transaction has already done: the answer is on its way.
    if (state === 'final' && !call.commits) return;
    call.cancelReason = reason;
    if (state === 'unstarted') return this.#stop(call);
    const isOver = () => this.#pending.get(call.seq) !== call;
    if (state === 'started') call.cancellation = this.#stopper.stop(call.seq, isOver);
    // Its answer tells how it ended; it comes at once unless nothing could stop the statement.
    this.#awaitEnding(call, state === 'final');
  }

  /** Cancels every statement that was sent and not answered. */
  cancelPending(reason: CancelReason): void {
    this.#overflow.rejectIf(
      (call) => call.cancellable,
      () => reason(NEVER_SENT),
    );
    for (const call of this.#pending.values()) if (call.cancellable) this.cancel(call, reason);
  }

  /** Ends without rollback or further messages: the thread ends when the statement that it runs does. */
  async terminate(reason: Error): Promise<void> {
    const { running } = this.#board;
    let isOver = false;
    this.#lose(reason);
    this.#stopper.stop(running, () => isOver);
    await this.#thread.terminate();
    isOver = true;
  }

  /** Closes the connection in order; after `timeoutMs` the thread is ended without it. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#closing) return;
    const closed = this.maintain('close', this.#environment.keepsLog() ? KEEP_LOG : null);
    this.#closing = true;
    try {
      await waitAtMost(timeoutMs, closed);
    } catch {
      // It was lost, or is busy: ending its thread is all that is left.
    } finally {
      // The process must not end before the thread has: SQLite's own close would be cut short.
      await this.#thread.terminate();
    }
  }

  /** No answer will come, so whoever leased this connection for the call is told here. */
  #refuse(call: PendingCall, error: unknown): void {
    call.reject(error);
    queueMicrotask(() => this.onAnswered?.());
  }

  #nextSeq(): number {
    this.#lastSeq = this.#lastSeq >= MAX_SEQ ? 1 : this.#lastSeq + 1;
    return this.#lastSeq;
  }

  /** Gives the worker the grace to say how a cancelled call ended. */
  #awaitEnding(call: PendingCall, isFinal: boolean): void {
    const graceMs = this.#environment.cancelGraceMs;
    armGrace(call, { graceMs, isFinal }, () => this.#giveUp(call, isFinal));
  }

  #post(wire: Wire): void {
    this.#thread.keepAlive(this.#pending.size > 0);
    if (!this.#isLost) this.#thread.post(wire);
  }

  #receive([numbers, wire]: Answers): void {
    const cursor = new Cursor(wire, numbers);
    const now = performance.now();
    while (!cursor.done) {
      const call = this.#pending.get(cursor.next<number>());
      // The connection was given up in the meantime, and every caller was told so.
      if (call === undefined) return;
      this.#pending.delete(call.seq);
      const answer = readAnswer(cursor, call, this.#environment.findShape);
      if (answer.failure === undefined) this.#succeed(call, answer, now);
      else this.#fail(call, answer.failure);
    }
    while (this.#overflow.length > 0 && !this.#isFull) this.#dispatch(this.#overflow.shift()!);
    this.onAnswered?.();
    if (this.#pending.size === 0) this.#scheduleSleep();
  }

  /** Not at once: the callers that were just answered are about to ask for more. */
  #scheduleSleep(): void {
    setImmediate(() => {
      if (!this.#closing) this.#thread.keepAlive(this.#pending.size > 0);
    });
  }

  #succeed(call: PendingCall, answer: Answer, now: number): void {
    call.cost?.recordWorker(answer.micros, answer.rows);
    if (call.commits) this.#environment.noteCommit(call.changes());
    // A read that came to its end while it was being stopped: nobody wants its rows any more.
    if (call.cancelReason !== undefined && !call.mayWrite) return this.#stop(call);
    this.#settlement.succeed(call, answer, now);
  }

  #fail(call: PendingCall, failure: Failure): void {
    const isUnknown = isOutcomeUnknown(failure.code);
    const { request } = call;
    const isBackup = request.kind === 'maintain' && request.task === 'backup';
    // A backup may fail because of the file that it writes. A COMMIT fails once, however many calls share it.
    if (!isBackup && (this.#usable || !isUnknown)) this.#environment.noteFailure(failure);
    if (isUnknown) {
      this.#doubt();
      this.#environment.noteDoubt(call.changes());
    }
    if (call.cancelReason !== undefined && isStopped(failure)) return this.#stop(call);
    this.#settlement.failAs(call, failure);
  }

  /**
   * Tells the caller that its call was ended and has no effect. If the worker has not come to it yet, it will
   * find it cancelled and skip it: the caller need not wait for that.
   */
  #stop(call: PendingCall): void {
    this.#settlement.fail(call, call.cancelReason!({ cancellation: call.cancellation, confirmed: true }));
  }

  /** The grace is over and the worker has not answered: it is inside a statement that nothing stops. */
  #giveUp(call: PendingCall, tooLate: boolean): void {
    if (call.settled) return;
    if (tooLate) {
      const graceMs = this.#environment.cancelGraceMs;
      this.#environment.noteDoubt(call.changes());
      const message = `COMMIT had begun when the call was to end, and has not returned for ${graceMs} ms.`;
      return this.#settlement.fail(call, new OutcomeUnknownError(message));
    }
    if (call.cancellation === 'row') call.cancellation = 'abandon';
    this.#settlement.fail(call, call.cancelReason!({ cancellation: call.cancellation, confirmed: false }));
    // A reader is replaced; the writer must end its statement first, and then finds it cancelled.
    if (this.role === 'reader') this.#doubt();
  }

  /** The connection answers the calls that it has, and is not used again. */
  #doubt(): void {
    this.#usable = false;
    this.onAnswered?.();
  }

  #lose(reason: Error): void {
    if (this.#isLost) return;
    this.#isLost = true;
    const wasClosing = this.#closing;
    this.#closing = true;
    this.#usable = false;
    for (const call of this.#pending.values()) this.#settlement.fail(call, this.#lostCallError(call, reason));
    this.#pending.clear();
    this.#alarms.stop();
    this.#overflow.rejectAll(connectionLostError(reason));
    this.#thread.keepAlive(false);
    if (!wasClosing) this.#markLost(reason);
    this.onAnswered?.();
  }

  #lostCallError(call: PendingCall, reason: Error): unknown {
    const { cancelReason, cancellation, mayWrite } = call;
    if (cancelReason !== undefined && !mayWrite) return cancelReason({ cancellation, confirmed: true });
    // What had not become final when the thread ended was rolled back with its connection.
    const isFinal = call.commits && this.#board.isFinal(call.seq);
    if (!isFinal) return connectionLostError(reason);
    this.#environment.noteDoubt(call.changes());
    return new OutcomeUnknownError('The writer ended between COMMIT and its answer.', { cause: reason });
  }
}
