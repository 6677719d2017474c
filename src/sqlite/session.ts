import type { DatabaseSync } from './binding.ts';
import type { CancelBoard } from './cancel-board.ts';
import { NumberStore } from './columnar.ts';
import { CursorTable } from './cursor-table.ts';
import { cancelledError, isInterrupt, toFailure, type Failure } from './failure.ts';
import { GroupCommit, type GroupMember, type MemberOutcome } from './group-commit.ts';
import { runMaintenance } from './maintenance.ts';
import type { Bindable } from './parameters.ts';
import {
  Cursor,
  Op,
  SHAPES,
  Status,
  type Answers,
  type ControlVerb,
  type MaintenanceTask,
  type Reply,
  type Wire,
} from './protocol.ts';
import { SessionTransaction } from './session-transaction.ts';
import type { SharedCounters } from './shared-counters.ts';
import {
  StatementRunner,
  type BatchPart,
  type StatementCall,
  type StatementResult,
} from './statement-runner.ts';
import type { StatementStore } from './statement-store.ts';
import { TransactionControl } from './transaction-control.ts';
import type { LogSpace } from './log-space.ts';
import { isDurable, type ConnectionRole, type ConnectionSettings } from './settings.ts';

/** Most writes in one transaction of the group commit: the first of them waits for the last. */
const MAX_GROUP_MEMBERS = 1_000;
/** Longest that replies are held back while later requests of the same message run. */
const REPLY_WITHIN_MS = 1;
const BATCH_SAVEPOINT = 'millpond_batch';

interface GroupedCall extends GroupMember {
  write(reply: Reply, result: unknown): void;
}

/** A single write: what nearly every member is. */
class GroupedWrite implements GroupedCall {
  readonly seq: number;
  readonly #call: StatementCall;
  readonly #runner: StatementRunner;

  constructor(call: StatementCall, runner: StatementRunner) {
    this.seq = call.seq;
    this.#call = call;
    this.#runner = runner;
  }

  execute(): StatementResult {
    return this.#runner.run(this.#call);
  }

  write(reply: Reply, result: unknown): void {
    (result as StatementResult).write(reply);
  }
}

export interface SessionOptions {
  readonly database: DatabaseSync;
  readonly store: StatementStore;
  readonly role: ConnectionRole;
  readonly settings: ConnectionSettings;
  readonly board: CancelBoard;
  readonly counters: SharedCounters;
  readonly logSpace: LogSpace | undefined;
  readonly send: (answers: Answers, transfer: ArrayBuffer[]) => void;
}

/** One connection inside its worker: executes the requests of `protocol.ts` in order and answers them. */
export class Session {
  readonly #database: DatabaseSync;
  readonly #store: StatementStore;
  readonly #role: ConnectionRole;
  readonly #isDurable: boolean;
  readonly #logSpace: LogSpace | undefined;
  readonly #board: CancelBoard;
  readonly #control: TransactionControl;
  readonly #runner: StatementRunner;
  readonly #cursors: CursorTable;
  readonly #group: GroupCommit;
  readonly #transaction: SessionTransaction;
  readonly #send: SessionOptions['send'];

  #members: GroupedCall[] = [];
  #forgotten: number[] = [];
  readonly #numbers = new NumberStore();
  #reply: Reply = { wire: [], numbers: this.#numbers, transfer: [] };
  #sentAt = 0;

  constructor(options: SessionOptions) {
    this.#database = options.database;
    this.#store = options.store;
    this.#role = options.role;
    this.#isDurable = isDurable(options.settings);
    this.#logSpace = options.logSpace;
    this.#board = options.board;
    this.#send = options.send;
    this.#control = new TransactionControl(options.database, options.store, options.settings.busyTimeoutMs);
    this.#runner = new StatementRunner(options.store, options.board);
    this.#cursors = new CursorTable(options.store);
    this.#transaction = new SessionTransaction({
      ...options,
      control: this.#control,
      closeCursors: () => this.#cursors.closeAll(),
    });
    this.#group = new GroupCommit(this.#control, options.board, options.counters);
  }

  get isWriter(): boolean {
    return this.#role === 'writer';
  }

  /** True where each COMMIT waits for the disk. */
  get isDurable(): boolean {
    return this.#isDurable;
  }

  /** True while a caller's transaction is open. */
  get isInTransaction(): boolean {
    return this.#transaction.isOpen;
  }

  /** Executes every request of a message. */
  handle(message: Wire): void {
    this.#sentAt = performance.now();
    const cursor = new Cursor(message);
    while (!cursor.done) {
      const op = cursor.next<number>();
      const seq = cursor.next<number>();
      if (!this.#joinsGroup(op)) this.#runGroup();
      this.#dispatch(op, seq, cursor);
      if (this.#members.length >= MAX_GROUP_MEMBERS) this.#runGroup();
      // What joined the group is answered with it.
      if (this.#members.length > 0 || performance.now() - this.#sentAt <= REPLY_WITHIN_MS) continue;
      // A snapshot kept through a long line of reads would keep the log from starting over.
      this.#transaction.endReadBurst();
      this.#flush();
    }
    this.#runGroup();
    this.#transaction.endReadBurst();
    for (const id of this.#forgotten) this.#runner.forget(id);
    this.#forgotten = [];
    this.#flush();
  }

  #joinsGroup(op: number): boolean {
    // A statement to forget may still be in the group, so it is forgotten after the group has run.
    if (op === Op.forget) return true;
    return op === Op.write || ((op === Op.batch || op === Op.script) && !this.#transaction.isOpen);
  }

  #dispatch(op: number, seq: number, cursor: Cursor): void {
    switch (op) {
      case Op.execute:
        return this.#execute(this.#readCall(seq, cursor));
      case Op.write:
        return this.#joinWrite(this.#readCall(seq, cursor));
      case Op.batch:
        return this.#batch(seq, cursor);
      case Op.script:
        return this.#script(seq, cursor.next<string>());
      case Op.control:
        return this.#controlTransaction(seq, cursor.next<ControlVerb>(), cursor.next<string | null>());
      case Op.openCursor:
        return this.#openCursor(seq, cursor);
      case Op.fetch:
        return this.#answer(seq, () => this.#cursors.fetch(this.#reply, seq, cursor.next<number>()));
      case Op.closeCursor:
        return this.#answer(seq, () => this.#done(seq, this.#cursors.close(cursor.next<number>())));
      case Op.maintain:
        return this.#maintain(seq, cursor.next<MaintenanceTask>(), cursor.next<string | null>());
      default:
        this.#forgotten.push(seq);
    }
  }

  #readCall(seq: number, cursor: Cursor): StatementCall {
    const shape = SHAPES[cursor.next<number>()]!;
    const watch = cursor.next<boolean>();
    const id = cursor.next<number>();
    const text = cursor.next<string | null>();
    const params = cursor.take<Bindable>(cursor.next<number>());
    if (text !== null) this.#runner.learn(id, text);
    return { seq, shape, watch, id, params };
  }

  #execute(call: StatementCall): void {
    this.#answer(call.seq, () => {
      if (this.#transaction.isOpen) this.#transaction.assertOpen();
      else this.#transaction.beginReadBurst();
      const writes = () => this.#transaction.isOpen && this.#runner.writes(call.id);
      const result = this.#stoppable(call.seq, writes, () => this.#runner.run(call));
      if (writes()) this.#transaction.keep(call.seq);
      result.write(this.#reply);
    });
  }

  /**
   * Runs the work of a call as the one that can be stopped. A write that is reported as stopped must have no
   * effect: SQLite undoes an interrupted one with its whole transaction, but the interrupt may also have come
   * behind it (or hit the undoing of a savepoint), and then the transaction is still open.
   */
  #stoppable<T>(seq: number, writes: () => boolean, work: () => T): T {
    try {
      return this.#started(seq, work);
    } catch (error) {
      // Not before the call has left the board: the rollback itself could be interrupted.
      if (isInterrupt(error) && writes()) this.#control.rollback();
      throw error;
    }
  }

  #joinWrite(call: StatementCall): void {
    this.#join(new GroupedWrite(call, this.#runner), this.#runner.mustRunAlone(call.id));
  }

  #batch(seq: number, cursor: Cursor): void {
    const statements = this.#runner.readBatch(cursor);
    const run = () => this.#underSavepoint(() => this.#runner.runBatch(statements));
    const write = (reply: Reply, result: unknown) =>
      this.#runner.writeBatch(reply, seq, result as BatchPart[]);
    this.#joinOrRun({ seq, execute: run, write }, () =>
      statements.some(({ id }) => this.#runner.mustRunAlone(id)),
    );
  }

  #script(seq: number, text: string): void {
    const run = () => this.#underSavepoint(() => this.#runner.runScript(this.#database, text));
    // What a script does is not known before it has run.
    this.#joinOrRun(
      { seq, execute: run, write: ({ wire }) => wire.push(seq, Status.done, null) },
      () => true,
    );
  }

  /** Outside a transaction a member of the group; inside one, part of it. */
  #joinOrRun(call: GroupedCall, mustRunAlone: () => boolean): void {
    if (!this.#transaction.isOpen) return this.#join(call, mustRunAlone());
    this.#answer(call.seq, () => {
      this.#transaction.assertOpen();
      const result = this.#stoppable(
        call.seq,
        () => true,
        () => call.execute(),
      );
      this.#transaction.keep(call.seq);
      call.write(this.#reply, result);
    });
  }

  #join(member: GroupedCall, alone: boolean): void {
    if (alone) this.#runGroup();
    this.#members.push(member);
    if (alone) this.#runGroup();
  }

  #underSavepoint<T>(work: () => T): T {
    this.#control.savepoint(BATCH_SAVEPOINT);
    try {
      const result = work();
      this.#control.release(BATCH_SAVEPOINT);
      return result;
    } catch (error) {
      if (this.#control.isOpen) {
        this.#control.rollbackTo(BATCH_SAVEPOINT);
        this.#control.release(BATCH_SAVEPOINT);
      }
      throw error;
    }
  }

  #controlTransaction(seq: number, verb: ControlVerb, name: string | null): void {
    this.#answer(seq, () => {
      this.#transaction.run(seq, verb, name, (step) => this.#started(seq, step));
      this.#done(seq, null);
    });
  }

  #openCursor(seq: number, cursor: Cursor): void {
    const text = cursor.next<string>();
    const chunkRows = cursor.next<number>();
    const params = cursor.take<Bindable>(cursor.next<number>());
    this.#answer(seq, () => {
      if (this.#transaction.isOpen) this.#transaction.assertOpen();
      this.#started(seq, () => this.#cursors.open(this.#reply, seq, { text, params, chunkRows }));
    });
  }

  #maintain(seq: number, task: MaintenanceTask, argument: string | null): void {
    this.#answer(seq, () => {
      if (task === 'close') {
        this.#transaction.endReadBurst();
        this.#logSpace?.close();
      }
      const result = runMaintenance(task, argument, this.#database, this.#store);
      if (!(result instanceof Promise)) return this.#done(seq, result);
      const settle = (report: () => void) => {
        report();
        this.#flush();
      };
      result.then(
        (value) => settle(() => this.#done(seq, value)),
        (error: unknown) => settle(() => this.#fail(seq, toFailure(error))),
      );
    });
  }

  #runGroup(): void {
    if (this.#members.length === 0) return;
    const members = this.#members;
    this.#members = [];
    this.#transaction.endReadBurst();
    this.#group.run(members).forEach((outcome, index) => this.#replyMember(members[index]!, outcome));
    this.#transaction.noteCommit();
  }

  #replyMember(member: GroupedCall, outcome: MemberOutcome): void {
    if ('result' in outcome) member.write(this.#reply, outcome.result);
    else this.#fail(member.seq, outcome.failure);
  }

  /** Marks the call as the running one, unless it was cancelled before its turn came. */
  #started<T>(seq: number, work: () => T): T {
    if (!this.#board.start(seq)) throw cancelledError();
    try {
      return work();
    } finally {
      this.#board.finish(seq);
    }
  }

  #answer(seq: number, work: () => void): void {
    const { wire } = this.#reply;
    const before = wire.length;
    try {
      work();
    } catch (error) {
      wire.length = before;
      this.#fail(seq, toFailure(error));
    }
  }

  #fail(seq: number, { code, message, part }: Failure): void {
    this.#reply.wire.push(seq, Status.error, code, message, part);
  }

  #done(seq: number, value: unknown): void {
    this.#reply.wire.push(seq, Status.done, value);
  }

  #flush(): void {
    this.#sentAt = performance.now();
    const { wire, transfer } = this.#reply;
    if (wire.length === 0) return;
    this.#reply = { wire: [], numbers: this.#numbers, transfer: [] };
    this.#send([this.#numbers.take(), wire], transfer);
  }
}
