import { Worker } from 'node:worker_threads';
import { runInRootContext } from '../async/index.ts';
import type { BatchItemResult, QueryObserver, Shape, ShapeResult, Statement } from '../driver/index.ts';
import { ConnectionError, OutcomeUnknownError, TimeoutError, type MillpondError } from '../errors/index.ts';
import { CancelBoard } from './cancel-board.ts';
import type { Interrupter } from './interrupt.ts';
import { toBindable } from './parameters.ts';
import type { CallDescription, CallEnding, CallHooks, CancelReason, Chunk, Expected, PendingCall } from './pending-call.ts';
import {
  Cursor,
  encodeStatement,
  FailureCode,
  Op,
  Status,
  type ControlVerb,
  type MaintenanceTask,
  type Wire,
  type WorkerReady,
  type WorkerStart,
} from './protocol.ts';
import { buildRows, decodeBatch, decodeRows, shapeRows } from './result-decoding.ts';
import type { RowBuilder } from './row-builder.ts';
import type { ConnectionRole, ConnectionSettings } from './settings.ts';
import type { SharedCounters } from './shared-counters.ts';
import { StatementReferences, type ReferencedStatement } from './statement-references.ts';
import { connectionLostError, translateFailure } from './translate-failure.ts';
import { workerUrl } from './worker-url.ts';

/** What all connections of one database share. */
export interface ConnectionEnvironment {
  readonly settings: ConnectionSettings;
  readonly interrupter: Interrupter | undefined;
  readonly observer: QueryObserver;
  readonly counters: SharedCounters;
  readonly cancelGraceMs: number;
  readonly createRowBuilder: (columns: readonly string[]) => RowBuilder;
}

/** Statement texts that a worker is known to have; a multiple of its statement cache, since a text alone is small. */
const REFERENCES_PER_CACHED_STATEMENT = 4;
let lastConnectionId = 0;

/**
 * The main thread's end of one worker: numbers the calls, sends those of one tick in one message, and settles each when
 * its answer comes. Calls are executed in the order in which they were made.
 */
export class WorkerConnection {
  readonly id: number = (lastConnectionId += 1);
  readonly role: ConnectionRole;
  /** Resolves with the reason when the worker was lost; never on an orderly close. */
  readonly lost: Promise<Error>;
  /** Called after the answers of one message were given out. */
  onAnswered: (() => void) | undefined;

  readonly #environment: ConnectionEnvironment;
  readonly #worker: Worker;
  readonly #board: CancelBoard;
  readonly #references: StatementReferences;
  readonly #pending = new Map<number, PendingCall>();
  #wire: Wire = [];
  #flushScheduled = false;
  #lastSeq = 0;
  #interruptKey: number | undefined;
  #usable = true;
  #closing = false;
  #markLost: (reason: Error) => void = () => undefined;

  private constructor(role: ConnectionRole, environment: ConnectionEnvironment, worker: Worker, board: SharedArrayBuffer) {
    this.role = role;
    this.#environment = environment;
    this.#worker = worker;
    this.#board = new CancelBoard(board);
    this.#references = new StatementReferences(
      environment.settings.statementCacheSize * REFERENCES_PER_CACHED_STATEMENT,
    );
    this.lost = new Promise((resolve) => (this.#markLost = resolve));
  }

  /** Starts a worker and waits until its connection is open. @throws ConnectionError, the worker being gone then */
  static async open(role: ConnectionRole, environment: ConnectionEnvironment): Promise<WorkerConnection> {
    const board = new SharedArrayBuffer(CancelBoard.sizeBytes);
    const start: WorkerStart = {
      settings: environment.settings,
      role,
      board,
      counters: environment.counters.buffer,
      interruptLibrary: environment.interrupter?.libraryPath,
    };
    // Made in the root context: the worker's events would otherwise carry the first request's context for ever.
    const worker = runInRootContext(() => new Worker(workerUrl, { workerData: start, name: `millpond-${role}` }));
    const connection = new WorkerConnection(role, environment, worker, board);
    const ready = await runInRootContext(() => connection.#listen());
    if (!ready.ready) {
      await worker.terminate();
      const cause = translateFailure(ready);
      throw new ConnectionError(`The ${role} connection could not be opened: ${cause.message}`, { cause });
    }
    connection.#interruptKey = ready.interruptKey;
    worker.unref();
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
    return this.#pending.size;
  }

  /** True where a running statement can be stopped at once. */
  get canInterrupt(): boolean {
    return this.#interruptKey !== undefined;
  }

  /** The call that the worker executes right now, if any. */
  get runningCall(): PendingCall | undefined {
    return this.#pending.get(this.#board.running);
  }

  execute<S extends Shape>(
    shape: S,
    statement: Statement,
    call: CallDescription & { readonly op: typeof Op.execute | typeof Op.write },
    hooks?: CallHooks,
  ): Promise<ShapeResult[S]> {
    const params = toBindable(statement.params);
    const { statement: known, reference } = this.#references.use(statement.text);
    return this.#send(call, { kind: 'rows', shape, statement: known }, hooks, (seq, wire) => {
      const watch = !this.canInterrupt && shape === 'all' && !call.writes;
      encodeStatement(wire, { op: call.op, seq, shape, watch }, reference, params);
    }) as Promise<ShapeResult[S]>;
  }

  batch(statements: readonly Statement[], call: CallDescription): Promise<BatchItemResult[]> {
    const known = new Map<number, ReferencedStatement>();
    const parts = statements.map(({ text, params }) => {
      const { statement, reference } = this.#references.use(text);
      known.set(statement.id, statement);
      return { reference, params: toBindable(params) };
    });
    return this.#send(call, { kind: 'batch', statements: known }, undefined, (seq, wire) => {
      wire.push(Op.batch, seq, parts.length);
      for (const { reference, params } of parts) wire.push(reference.id, reference.text, params.length, ...params);
    }) as Promise<BatchItemResult[]>;
  }

  script(call: CallDescription): Promise<void> {
    return this.#send(call, DONE, undefined, (seq, wire) => wire.push(Op.script, seq, call.text)) as Promise<void>;
  }

  control(verb: ControlVerb, call: CallDescription, name: string | null = null): Promise<void> {
    return this.#send(call, DONE, undefined, (seq, wire) => wire.push(Op.control, seq, verb, name)) as Promise<void>;
  }

  maintain(task: MaintenanceTask, argument: string | null = null): Promise<unknown> {
    const call = describeOwnCall(task);
    return this.#send(call, DONE, undefined, (seq, wire) => wire.push(Op.maintain, seq, task, argument));
  }

  /** @returns the cursor's number and its first chunk. */
  async openCursor(statement: Statement, call: CallDescription, chunkRows: number): Promise<OpenedCursor> {
    const params = toBindable(statement.params);
    const known: ReferencedStatement = { id: 0, build: undefined };
    const first = this.#send(call, { kind: 'chunk', statement: known }, undefined, (seq, wire) =>
      wire.push(Op.openCursor, seq, statement.text, chunkRows, params.length, ...params),
    );
    const cursorId = this.#lastSeq;
    return { cursorId, statement: known, chunk: (await first) as Chunk };
  }

  fetch({ cursorId, statement }: OpenedCursor, call: CallDescription): Promise<Chunk> {
    const expected: Expected = { kind: 'chunk', statement };
    return this.#send(call, expected, undefined, (seq, wire) => wire.push(Op.fetch, seq, cursorId)) as Promise<Chunk>;
  }

  closeCursor({ cursorId }: OpenedCursor): Promise<unknown> {
    const call = describeOwnCall('close cursor');
    return this.#send(call, DONE, undefined, (seq, wire) => wire.push(Op.closeCursor, seq, cursorId));
  }

  /** Takes back the reads that were sent and have not begun, so that they can be sent elsewhere. */
  withdrawUnstarted(): void {
    const { running } = this.#board;
    for (const call of [...this.#pending.values()]) {
      if (call.hooks === undefined || call.seq === running || call.settled || call.writes) continue;
      if (this.#board.cancel(call.seq) && this.#settle(call)) call.hooks.onWithdrawn();
    }
  }

  /** Ends a call early, as surely as can be done; see {@link CallEnding} for what its error is told. */
  cancel(call: PendingCall, reason: CancelReason): void {
    if (call.settled || call.cancelReason !== undefined) return;
    call.cancelReason = reason;
    const tooLate = !this.#board.cancel(call.seq);
    if (!tooLate && this.#board.running !== call.seq) return this.#rejectUnstarted(call);
    if (!tooLate) call.cancellation = this.#interrupt(call.seq) ? 'interrupt' : 'row';
    // Its answer tells how it ended; it comes at once unless nothing could stop the statement.
    const timer = runInRootContext(() => setTimeout(() => this.#giveUp(call, tooLate), this.#environment.cancelGraceMs));
    timer.unref();
    clearTimeout(call.timer);
    call.timer = timer;
  }

  /** Cancels every statement that was sent and not answered. */
  cancelPending(reason: CancelReason): void {
    for (const call of this.#pending.values()) {
      if (call.cancellable) this.cancel(call, reason);
    }
  }

  /** Rolls back nothing and asks nobody: the thread ends when the statement that it runs does. */
  async terminate(reason: Error): Promise<void> {
    this.#lose(reason);
    this.#worker.ref();
    await this.#worker.terminate();
  }

  /** Closes the connection in order; after `timeoutMs` the thread is ended without it. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#closing) return;
    const closed = this.maintain('close');
    this.#closing = true;
    try {
      await withTimeout(closed, timeoutMs);
    } catch {
      // The connection did not close in order (it was lost, or is busy): ending its thread is all that is left.
    } finally {
      // The process must not end before the thread has: SQLite's own close would be cut short.
      this.#worker.ref();
      await this.#worker.terminate();
    }
  }

  /** @returns the first message; all later ones are answers. */
  #listen(): Promise<WorkerReady> {
    return new Promise((resolve) => {
      let receive = (first: unknown): void => {
        receive = (message) => this.#receive(message as Wire);
        resolve(first as WorkerReady);
      };
      const end = (reason: Error): void => {
        // Without effect unless the thread ended before it was ready.
        resolve({ ready: false, code: FailureCode.internal, message: reason.message });
        this.#lose(reason);
      };
      this.#worker.on('message', (message) => receive(message));
      this.#worker.on('error', end);
      this.#worker.on('exit', (code) => end(new Error(`the thread ended with code ${code}`)));
    });
  }

  #send(
    description: CallDescription,
    expected: Expected,
    hooks: CallHooks | undefined,
    encode: (seq: number, wire: Wire) => void,
  ): Promise<unknown> {
    if (!this.usable) return Promise.reject(connectionLostError(undefined));
    return new Promise((resolve, reject) => {
      const seq = this.#nextSeq();
      const call: PendingCall = {
        ...description,
        seq,
        expected,
        resolve,
        reject,
        hooks,
        cancelReason: undefined,
        cancellation: undefined,
        settled: false,
        timer: undefined,
        onAbort: undefined,
      };
      this.#board.open(seq);
      this.#pending.set(seq, call);
      encode(seq, this.#wire);
      this.#references.writeForgotten(this.#wire);
      this.#limit(call);
      this.#scheduleFlush();
    });
  }

  #nextSeq(): number {
    if (this.#pending.size >= CancelBoard.capacity - 1) throw new Error('BUG: more calls in flight than slots');
    this.#lastSeq = this.#lastSeq >= MAX_SEQ ? 1 : this.#lastSeq + 1;
    return this.#lastSeq;
  }

  /** Arms what can end the call early. */
  #limit(call: PendingCall): void {
    const { signal, timeoutMs } = call;
    if (signal !== undefined) {
      call.onAbort = () => this.cancel(call, () => signal.reason);
      signal.addEventListener('abort', call.onAbort, { once: true });
    }
    if (timeoutMs === 0) return;
    const leftMs = Math.max(0, timeoutMs - (performance.now() - call.startedAt));
    call.timer = setTimeout(() => this.cancel(call, (ending) => timeoutError(call, ending)), leftMs);
    call.timer.unref();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    const wire = this.#wire;
    this.#wire = [];
    this.#keepAlive();
    if (this.#usable) this.#worker.postMessage(wire);
  }

  /** The process stays alive for calls in flight, and for nothing else. */
  #keepAlive(): void {
    if (this.#pending.size > 0) this.#worker.ref();
    else this.#worker.unref();
  }

  #receive(message: Wire): void {
    const cursor = new Cursor(message);
    while (!cursor.done) {
      const call = this.#pending.get(cursor.next<number>())!;
      this.#pending.delete(call.seq);
      this.#readAnswer(call, cursor);
    }
    if (this.#pending.size === 0) this.#worker.unref();
    this.onAnswered?.();
  }

  #readAnswer(call: PendingCall, cursor: Cursor): void {
    const status = cursor.next<number>();
    const { expected } = call;
    switch (status) {
      case Status.error:
        return this.#fail(call, { code: cursor.next<number>(), message: cursor.next<string>() });
      case Status.run:
        return this.#answerRun(call, cursor);
      case Status.json: {
        const body = cursor.next<Uint8Array>();
        return this.#succeed(call, body, { rows: cursor.next<number>(), micros: cursor.next<number>() });
      }
      case Status.batch: {
        const known = (id: number) => (expected as Expected & { kind: 'batch' }).statements.get(id)!;
        const items = decodeBatch(cursor, known, this.#environment.createRowBuilder);
        return this.#succeed(call, items, { rows: items.length, micros: 0 });
      }
      case Status.chunk:
        return this.#answerChunk(call, cursor);
      case Status.done:
        return this.#succeed(call, cursor.next(), { rows: 0, micros: 0 });
      default:
        return this.#answerRows(call, cursor, status);
    }
  }

  #answerRun(call: PendingCall, cursor: Cursor): void {
    const rowsAffected = cursor.next<number>();
    const lastInsertId = cursor.next<number | bigint | null>();
    const micros = cursor.next<number>();
    const result = lastInsertId === null ? { rowsAffected } : { rowsAffected, lastInsertId };
    this.#succeed(call, result, { rows: rowsAffected, micros });
  }

  #answerRows(call: PendingCall, cursor: Cursor, status: number): void {
    const { shape, statement } = call.expected as Expected & { kind: 'rows' };
    const decoded = decodeRows(cursor, status, statement, this.#environment.createRowBuilder);
    const rows = decoded.width === 0 ? 0 : decoded.values.length / decoded.width;
    this.#succeed(call, shapeRows(shape, decoded, statement.build), { rows, micros: decoded.micros });
  }

  #answerChunk(call: PendingCall, cursor: Cursor): void {
    const { statement } = call.expected as Expected & { kind: 'chunk' };
    const hasMore = cursor.next<boolean>();
    cursor.next<number>(); // the sequence number of the rows' own reply
    const { values, width } = decodeRows(cursor, cursor.next<number>(), statement, this.#environment.createRowBuilder);
    const rows = buildRows(values, width, statement.build);
    this.#succeed(call, { rows, hasMore } satisfies Chunk, { rows: rows.length, micros: 0 });
  }

  #succeed(call: PendingCall, answer: unknown, { rows, micros }: { rows: number; micros: number }): void {
    call.hooks?.onExecuted(micros, rows);
    if (!this.#settle(call)) return;
    if (call.observed) this.#environment.observer.succeeded(this.#observed(call), rows);
    call.resolve(answer);
  }

  #fail(call: PendingCall, failure: { readonly code: number; readonly message: string }): void {
    if (failure.code === FailureCode.outcomeUnknown) this.#doubt();
    const stopped = call.cancelReason !== undefined && isStopped(failure.code);
    const error = stopped
      ? call.cancelReason!({ cancellation: call.cancellation, confirmed: true })
      : translateFailure(failure, call);
    this.#reject(call, error);
  }

  #reject(call: PendingCall, error: unknown): void {
    if (!this.#settle(call)) return;
    if (call.observed) this.#environment.observer.failed(this.#observed(call), error as Error);
    call.reject(error);
  }

  /** @returns false when the caller has its answer already. */
  #settle(call: PendingCall): boolean {
    if (call.settled) return false;
    call.settled = true;
    clearTimeout(call.timer);
    if (call.onAbort !== undefined) call.signal!.removeEventListener('abort', call.onAbort);
    return true;
  }

  #observed(call: PendingCall) {
    const { text, name, params, placement, transactionId, startedAt } = call;
    const durationMs = performance.now() - startedAt;
    return { text, name, params, placement, connectionId: this.id, transactionId, durationMs };
  }

  /** The worker will find it cancelled and pass it over: the caller need not wait for that. */
  #rejectUnstarted(call: PendingCall): void {
    this.#reject(call, call.cancelReason!({ cancellation: undefined, confirmed: true }));
  }

  #interrupt(seq: number): boolean {
    const { interrupter } = this.#environment;
    if (interrupter === undefined || this.#interruptKey === undefined) return false;
    return this.#board.interruptIfRunning(seq, () => interrupter.interrupt(this.#interruptKey!));
  }

  /** The grace is over and the worker has not answered: it is inside a statement that nothing stops. */
  #giveUp(call: PendingCall, tooLate: boolean): void {
    if (call.settled) return;
    if (tooLate) {
      const message = `COMMIT had begun when the call was to end, and has not returned for ${this.#environment.cancelGraceMs} ms.`;
      return this.#reject(call, new OutcomeUnknownError(message));
    }
    if (call.cancellation === 'row') call.cancellation = 'abandon';
    this.#reject(call, call.cancelReason!({ cancellation: call.cancellation, confirmed: false }));
    // A reader is replaced; the writer must end its statement first, and then finds it cancelled.
    if (this.role === 'reader') this.#doubt();
  }

  /** The connection answers what it has, and is not used again. */
  #doubt(): void {
    this.#usable = false;
  }

  #lose(reason: Error): void {
    if (!this.#usable && this.#pending.size === 0) return;
    const wasClosing = this.#closing;
    this.#closing = true;
    this.#usable = false;
    for (const call of this.#pending.values()) this.#reject(call, this.#lostCallError(call, reason));
    this.#pending.clear();
    this.#worker.unref();
    if (wasClosing) return;
    this.#markLost(reason);
    this.onAnswered?.();
  }

  #lostCallError(call: PendingCall, reason: Error): MillpondError {
    // What had not become final when the thread ended was rolled back with its connection.
    const isFinal = call.writes && !this.#board.cancel(call.seq);
    if (!isFinal) return connectionLostError(reason);
    return new OutcomeUnknownError('The writer ended between COMMIT and its answer.', { cause: reason });
  }
}

/** A cursor inside the worker. */
export interface OpenedCursor {
  readonly cursorId: number;
  readonly statement: ReferencedStatement;
  readonly chunk: Chunk;
}

const DONE: Expected = { kind: 'done' };
/** Sequence numbers fit the signed cells of the cancel board. */
const MAX_SEQ = 0x3fff_ffff;

async function withTimeout(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}

function isStopped(code: number): boolean {
  return code === FailureCode.cancelled || code === SQLITE_INTERRUPT;
}

/** https://sqlite.org/rescode.html#interrupt */
const SQLITE_INTERRUPT = 9;

function timeoutError(call: CallDescription, { cancellation, confirmed }: CallEnding): TimeoutError {
  const what = call.name === undefined ? 'The statement' : `Query "${call.name}"`;
  const rollback = confirmed ? 'confirmed' : 'pending';
  return new TimeoutError(`${what} did not end within ${call.timeoutMs} ms.`, {
    timeoutMs: call.timeoutMs,
    ...(call.writes ? { rollback } : {}),
    ...(cancellation === undefined ? {} : { cancellation }),
  });
}

/** A call of the engine itself: no limit but that of whoever waits for it. */
function describeOwnCall(text: string): CallDescription {
  return {
    text,
    name: undefined,
    params: [],
    placement: 'connection',
    transactionId: undefined,
    startedAt: performance.now(),
    timeoutMs: 0,
    signal: undefined,
    writes: false,
    cancellable: false,
    observed: false,
  };
}
