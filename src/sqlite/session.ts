import type { DatabaseSync } from './binding.ts';
import { CancelBoard } from './cancel-board.ts';
import { NumberStore } from './columnar.ts';
import { CursorTable } from './cursor-table.ts';
import { toFailure } from './failure.ts';
import { commitFailure, GroupCommit, type GroupMember, type MemberOutcome } from './group-commit.ts';
import { runMaintenance } from './maintenance.ts';
import type { Bindable } from './parameters.ts';
import {
  Cursor,
  FailureCode,
  Op,
  SHAPES,
  Status,
  type Answers,
  type ControlVerb,
  type MaintenanceTask,
  type Reply,
  type Wire,
} from './protocol.ts';
import type { SharedCounters } from './shared-counters.ts';
import {
  cancelledError,
  StatementRunner,
  type BatchPart,
  type StatementCall,
  type StatementResult,
} from './statement-runner.ts';
import type { StatementStore } from './statement-store.ts';
import { TransactionControl } from './transaction-control.ts';
import type { ConnectionRole, ConnectionSettings } from './settings.ts';

/** Most writes in one transaction of the group commit: the first of them waits for the last. */
const MAX_GROUP_MEMBERS = 1_000;
/** Replies are held back this long at most while later requests of the same message run. */
const REPLY_WITHIN_MS = 1;
/** Commits between two looks at the write-ahead log; one look costs about 2 µs. */
const COMMITS_BETWEEN_LOOKS = 8;
const BATCH_SAVEPOINT = 'millpond_batch';

interface GroupedCall extends GroupMember {
  readonly write: (reply: Reply, result: unknown) => void;
}

export interface SessionOptions {
  readonly database: DatabaseSync;
  readonly store: StatementStore;
  readonly role: ConnectionRole;
  readonly settings: ConnectionSettings;
  readonly board: CancelBoard;
  readonly counters: SharedCounters;
  readonly send: (answers: Answers, transfer: ArrayBuffer[]) => void;
}

/** One connection inside its worker: executes the requests of `protocol.ts` in order and answers them. */
export class Session {
  readonly #database: DatabaseSync;
  readonly #store: StatementStore;
  readonly #role: ConnectionRole;
  readonly #isDurable: boolean;
  readonly #board: CancelBoard;
  readonly #control: TransactionControl;
  readonly #runner: StatementRunner;
  readonly #cursors: CursorTable;
  readonly #group: GroupCommit;
  readonly #counters: SharedCounters;
  readonly #send: SessionOptions['send'];

  #members: GroupedCall[] = [];
  readonly #numbers = new NumberStore();
  #reply: Reply = { wire: [], numbers: this.#numbers, transfer: [] };
  #sentAt = 0;
  #commits = 0;
  /**
   * True between BEGIN and its COMMIT or ROLLBACK, even where SQLite has ended the transaction in between.
   */
  #inTransaction = false;
  /** True while the reads of one message share a read transaction. */
  #inReadBurst = false;

  constructor(options: SessionOptions) {
    this.#database = options.database;
    this.#store = options.store;
    this.#role = options.role;
    this.#isDurable = ['full', 'extra'].includes(options.settings.synchronous);
    this.#board = options.board;
    this.#counters = options.counters;
    this.#send = options.send;
    this.#control = new TransactionControl(options.database, options.store, options.settings.busyTimeoutMs);
    this.#runner = new StatementRunner(options.store, options.board);
    this.#cursors = new CursorTable(options.store);
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
    return this.#inTransaction;
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
      if (performance.now() - this.#sentAt > REPLY_WITHIN_MS) this.#flush();
    }
    this.#runGroup();
    this.#endReadBurst();
    this.#flush();
  }

  #joinsGroup(op: number): boolean {
    return op === Op.write || ((op === Op.batch || op === Op.script) && !this.#inTransaction);
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
        return this.#runner.forget(seq);
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
      if (this.#inTransaction) this.#assertOpen();
      else this.#beginReadBurst();
      this.#started(call.seq, () => {
        const result = this.#runner.run(call);
        if (this.#inTransaction && this.#runner.writes(call.id)) this.#keep(call.seq);
        result.write(this.#reply);
      });
    });
  }

  /**
   * What a statement of a transaction did cannot be undone alone. Where its call was cancelled meanwhile, the
   * whole is undone, as SQLite does with an interrupted write; otherwise it is too late to cancel it now.
   */
  #keep(seq: number): void {
    if (this.#board.finalize(seq)) return;
    this.#control.rollback();
    throw cancelledError();
  }

  #joinWrite(call: StatementCall): void {
    const member: GroupedCall = {
      seq: call.seq,
      execute: () => this.#runner.run(call),
      write: (reply, result) => (result as StatementResult).write(reply),
    };
    this.#join(member, this.#runner.mustRunAlone([call.id]));
  }

  #batch(seq: number, cursor: Cursor): void {
    const statements = this.#runner.readBatch(cursor);
    const run = () => this.#underSavepoint(() => this.#runner.runBatch(statements));
    const write = (reply: Reply, result: unknown) =>
      this.#runner.writeBatch(reply, seq, result as BatchPart[]);
    this.#joinOrRun({ seq, execute: run, write }, () =>
      this.#runner.mustRunAlone(statements.map(({ id }) => id)),
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
    if (!this.#inTransaction) return this.#join(call, mustRunAlone());
    this.#answer(call.seq, () => {
      this.#assertOpen();
      this.#started(call.seq, () => {
        const result = call.execute();
        this.#keep(call.seq);
        call.write(this.#reply, result);
      });
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
      this.#runVerb(seq, verb, name);
      this.#done(seq, null);
    });
  }

  #runVerb(seq: number, verb: ControlVerb, name: string | null): void {
    switch (verb) {
      case 'begin-write':
        this.#endReadBurst();
        // Set before BEGIN is tried: if it fails, what was sent behind it must not run in autocommit.
        this.#inTransaction = true;
        return this.#started(seq, () => this.#control.beginWrite(() => this.#board.isCancelled(seq)));
      case 'begin-read':
        this.#endReadBurst();
        this.#inTransaction = true;
        if (this.#role === 'writer') this.#control.allowWrites(false);
        return this.#control.beginRead();
      case 'commit':
        return this.#commit(seq);
      case 'rollback':
        return this.#leave(() => this.#control.rollback());
      default:
        this.#assertOpen();
        if (verb === 'savepoint') this.#control.savepoint(name!);
        else if (verb === 'release') this.#control.release(name!);
        else this.#control.rollbackTo(name!);
    }
  }

  #commit(seq: number): void {
    this.#leave(() => {
      this.#assertOpen();
      try {
        // From here on a thread that dies leaves the outcome unknown. Where it was given up, its caller is
        // told already that nothing was committed.
        if (!this.#board.finalize(seq)) throw cancelledError();
        this.#control.commit();
      } catch (error) {
        this.#control.rollback();
        throw Object.assign(new Error((error as Error).message), { errcode: commitFailure(error).code });
      }
    });
    this.#noteCommit();
  }

  /** Tells the governor on the main thread how long the log has become. */
  #noteCommit(): void {
    this.#commits += 1;
    if (this.#commits % COMMITS_BETWEEN_LOOKS !== 1 || this.#role !== 'writer') return;
    const log = this.#control.readLog();
    if (log !== undefined) this.#counters.noteLog(log.walFrames, log.checkpointedFrames);
  }

  #leave(end: () => void): void {
    this.#cursors.closeAll();
    try {
      end();
    } finally {
      this.#inTransaction = false;
      if (this.#role === 'writer') this.#control.allowWrites(true);
    }
  }

  /**
   * The guard against autocommit: SQLite ends a transaction by itself on some errors, and BEGIN may have
   * failed.
   */
  #assertOpen(): void {
    if (this.#control.isOpen) return;
    throw Object.assign(new Error('SQLite has ended the transaction'), {
      errcode: FailureCode.transactionEnded,
    });
  }

  #openCursor(seq: number, cursor: Cursor): void {
    const text = cursor.next<string>();
    const chunkRows = cursor.next<number>();
    const params = cursor.take<Bindable>(cursor.next<number>());
    this.#answer(seq, () => {
      if (this.#inTransaction) this.#assertOpen();
      this.#started(seq, () => this.#cursors.open(this.#reply, seq, { text, params, chunkRows }));
    });
  }

  #maintain(seq: number, task: MaintenanceTask, argument: string | null): void {
    this.#answer(seq, () => {
      const result = runMaintenance(task, argument, this.#database, this.#store);
      if (!(result instanceof Promise)) return this.#done(seq, result);
      const settle = (report: () => void) => {
        report();
        this.#flush();
      };
      result.then(
        (value) => settle(() => this.#done(seq, value)),
        (error: unknown) => settle(() => this.#fail(seq, error)),
      );
    });
  }

  #runGroup(): void {
    if (this.#members.length === 0) return;
    const members = this.#members;
    this.#members = [];
    this.#endReadBurst();
    this.#group.run(members).forEach((outcome, index) => this.#replyMember(members[index]!, outcome));
    this.#noteCommit();
  }

  #replyMember(member: GroupedCall, outcome: MemberOutcome): void {
    if ('result' in outcome) member.write(this.#reply, outcome.result);
    else this.#reply.wire.push(member.seq, Status.error, outcome.failure.code, outcome.failure.message);
  }

  /** Marks the call as the running one, unless it was cancelled before its turn came. */
  #started(seq: number, work: () => void): void {
    if (!this.#board.start(seq)) throw cancelledError();
    try {
      work();
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
      this.#fail(seq, error);
    }
  }

  #fail(seq: number, error: unknown): void {
    const failure = toFailure(error);
    this.#reply.wire.push(seq, Status.error, failure.code, failure.message);
  }

  #done(seq: number, value: unknown): void {
    this.#reply.wire.push(seq, Status.done, value);
  }

  /**
   * Reads of one message share a snapshot: it is taken after all of them were asked for, and a read alone
   * costs two file locks, several times what a point read itself costs.
   */
  #beginReadBurst(): void {
    if (this.#inReadBurst || this.#role !== 'reader') return;
    this.#inReadBurst = true;
    this.#store.trusted((database) => database.exec('begin'));
  }

  #endReadBurst(): void {
    if (!this.#inReadBurst) return;
    this.#inReadBurst = false;
    this.#control.rollback();
  }

  #flush(): void {
    this.#sentAt = performance.now();
    const { wire, transfer } = this.#reply;
    if (wire.length === 0) return;
    this.#reply = { wire: [], numbers: this.#numbers, transfer: [] };
    this.#send([this.#numbers.take(), wire], transfer);
  }
}
