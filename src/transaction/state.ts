import { TransactionClosedError } from '../errors/index.ts';
import { describeCallSite, type CallSite } from './call-site.ts';

/**
 * What a transaction or savepoint is doing. It begins as 'active' and ends as 'committed', 'rolled-back' or
 * 'unknown'.
 */
export type TransactionState =
  | 'active'
  | 'committing'
  | 'committed'
  | 'rolling-back'
  | 'rolled-back'
  | 'unknown';

/** Whether a rollback was seen to end. */
export type RollbackOutcome = 'confirmed' | 'pending';

/** How and when it ended, for the message to calls that come too late. */
export interface Ending {
  /** Completes "Transaction #3 …": `was rolled back because its connection was lost`. */
  readonly how: string;
  readonly atMs: number;
  readonly cause?: unknown;
}

/**
 * Something other than its own code that ends a transaction: a limit, an abort, a lost connection, a
 * shutdown.
 */
export interface Interruption {
  readonly how: string;
  /** What the calls under way reject with. */
  readonly reason: Error;
  /** What the caller of `transaction()` gets, once the result of the rollback is known. */
  toError(rollback: RollbackOutcome): unknown;
  /** True when nothing is left to roll back: the connection is gone. */
  readonly gone?: boolean;
}

interface Subject {
  readonly label: string;
  readonly site: CallSite;
}

/**
 * The fence's error. Its stack shows where the late call was made; the message says how and when it ended.
 */
export function closedError(
  subject: Subject,
  ending: Ending | undefined,
  nowMs: number,
): TransactionClosedError {
  const how =
    ending === undefined ? 'is being committed' : `${ending.how} ${Math.round(nowMs - ending.atMs)} ms ago`;
  return new TransactionClosedError(
    `${subject.label} ${how}, so this call was not sent. ` +
      `It was begun at ${describeCallSite(subject.site)}. ` +
      'Work that outlives its transaction belongs in onCommit(), onRollback() or withoutTransaction().',
    ending?.cause === undefined ? {} : { cause: ending.cause },
  );
}
