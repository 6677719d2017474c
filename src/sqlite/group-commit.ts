import type { CancelBoard } from './cancel-board.ts';
import { FailureCode, isOutcomeUnknown } from './protocol.ts';
import { isInterrupt, isDiskFailure, primaryCode, Sqlite, toFailure, type Failure } from './failure.ts';
import type { SharedCounters } from './shared-counters.ts';
import type { TransactionControl } from './transaction-control.ts';

/**
 * One caller's write. `execute` runs it inside the open transaction and returns what to answer when it
 * committed.
 */
export interface GroupMember {
  readonly seq: number;
  execute(): unknown;
}

export type MemberOutcome = { readonly result: unknown } | { readonly failure: Failure };

/**
 * Runs writes that came together in one transaction, one fsync for all, so that none of them can tell: same
 * result, same error, no effect of a neighbour's failure. Outcomes are only returned after COMMIT did.
 *
 * A failed statement is undone alone by SQLite. But SQLite may also end the whole transaction by itself (a
 * full disk, ON CONFLICT ROLLBACK, RAISE(ROLLBACK), an interrupted write): what ran before is undone then,
 * and what would run after would commit at once. So after every member the transaction must still be open;
 * where it is not, where COMMIT fails (deferred constraints), and where a caller has cancelled in between,
 * nothing of the group counts as done, and its members run again one by one.
 * https://sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction
 */
export class GroupCommit {
  readonly #control: TransactionControl;
  readonly #board: CancelBoard;
  readonly #counters: SharedCounters;

  constructor(control: TransactionControl, board: CancelBoard, counters: SharedCounters) {
    this.#control = control;
    this.#board = board;
    this.#counters = counters;
  }

  run(members: readonly GroupMember[]): MemberOutcome[] {
    const together = this.#runTogether(members);
    this.#counters.countGroup(members.length, together === 'replay');
    if (together !== 'replay') return together;
    return members.map((member) => this.#runAlone(member));
  }

  #runTogether(members: readonly GroupMember[]): MemberOutcome[] | 'replay' {
    const refused = this.#begin(members);
    if (refused !== undefined) return members.map(() => ({ failure: refused }));
    const outcomes: MemberOutcome[] = [];
    for (const member of members) {
      outcomes.push(this.#execute(member));
      if (!this.#control.isOpen) return this.#giveUp(members, outcomes[0]!);
    }
    if (!this.#finalizeAll(members, outcomes)) return this.#giveUp(members, { failure: cancelled() });
    return this.#commit(outcomes) ?? 'replay';
  }

  /** Rolls back what is left; a group of one already has its answer. */
  #giveUp(members: readonly GroupMember[], first: MemberOutcome): MemberOutcome[] | 'replay' {
    this.#control.rollback();
    return members.length === 1 && 'failure' in first ? [first] : 'replay';
  }

  #runAlone(member: GroupMember): MemberOutcome {
    const refused = this.#begin([member]);
    if (refused !== undefined) return { failure: refused };
    const outcome = this.#execute(member);
    if (!this.#control.isOpen) return 'failure' in outcome ? outcome : { failure: endedEarly() };
    if (!this.#finalizeAll([member], [outcome])) {
      this.#control.rollback();
      return { failure: cancelled() };
    }
    return this.#commit([outcome])![0]!;
  }

  #begin(members: readonly GroupMember[]): Failure | undefined {
    try {
      // A wait for another process's lock ends early when no member is interested any more.
      this.#control.beginWrite(() => members.every(({ seq }) => this.#board.isCancelled(seq)));
      return undefined;
    } catch (error) {
      return toFailure(error);
    }
  }

  #execute(member: GroupMember): MemberOutcome {
    if (!this.#board.start(member.seq)) return { failure: cancelled() };
    const outcome = attempt(member);
    this.#board.finish(member.seq);
    // The interrupt may have come behind the write itself, which would then stay: so a stopped member ends
    // the whole transaction, and the others run again. Not before the member has left the board: the rollback
    // could be interrupted.
    if ('failure' in outcome && isInterrupt({ errcode: outcome.failure.code })) this.#control.rollback();
    return outcome;
  }

  /**
   * A failed statement is committed too: ON CONFLICT FAIL keeps the rows before the one that failed.
   * https://sqlite.org/lang_conflict.html
   *
   * @returns false when a caller cancelled a write that is part of the transaction already.
   */
  #finalizeAll(members: readonly GroupMember[], outcomes: readonly MemberOutcome[]): boolean {
    return members.every(({ seq }, index) => wasPassedOver(outcomes[index]!) || this.#board.finalize(seq));
  }

  /**
   * @returns undefined when COMMIT was refused, nothing being written, and it is not known which member is to
   * blame.
   */
  #commit(outcomes: MemberOutcome[]): MemberOutcome[] | undefined {
    try {
      this.#control.commit();
      return outcomes;
    } catch (error) {
      this.#control.rollback();
      const failure = commitFailure(error);
      if (!isOutcomeUnknown(failure.code)) return outcomes.length === 1 ? [{ failure }] : undefined;
      // A member that failed was undone before COMMIT: only the others share the doubt.
      return outcomes.map((outcome) => ('failure' in outcome ? outcome : { failure }));
    }
  }
}

function attempt(member: GroupMember): MemberOutcome {
  try {
    return { result: member.execute() };
  } catch (error) {
    return { failure: toFailure(error) };
  }
}

/**
 * What a failed COMMIT means. An I/O error may come after the commit record reached the file (a failed fsync
 * leaves it in the page cache, and it is there after a restart): nobody can say. Every other failure left
 * nothing behind.
 */
export function commitFailure(error: unknown): Failure {
  const failure = toFailure(error);
  if (primaryCode(failure.code) !== Sqlite.ioError) return failure;
  const code = isDiskFailure(failure.code) ? FailureCode.diskFailed : FailureCode.outcomeUnknown;
  return { code, message: failure.message };
}

function wasPassedOver(outcome: MemberOutcome): boolean {
  return 'failure' in outcome && outcome.failure.code === FailureCode.cancelled;
}

function cancelled(): Failure {
  return { code: FailureCode.cancelled, message: 'cancelled' };
}

function endedEarly(): Failure {
  return { code: FailureCode.transactionEnded, message: 'SQLite ended the transaction' };
}
