import { TimeoutError, type CancellationLevel } from '../errors/index.ts';

/** How a call ended that was to end early. */
export interface CallEnding {
  /** How the running statement was stopped; undefined where it had not been sent. */
  readonly cancellation: CancellationLevel | undefined;
  /** Whether it is certain that the call has no effect. */
  readonly confirmed: boolean;
}

/** Makes the error of a call that was to end early, once it is known how it ended. */
export type CancelReason = (ending: CallEnding) => unknown;

/** What the error of a limit says about the call. */
export interface TimedCall {
  readonly name: string | undefined;
  readonly timeoutMs: number;
  readonly mayWrite: boolean;
}

/** The ending of a call that was never sent: there is nothing to undo. */
export const NEVER_SENT: CallEnding = Object.freeze({ cancellation: undefined, confirmed: true });

/**
 * The error of a call that was ended at its limit. It says how, and whether what the call wrote is known to
 * be undone.
 */
export function timeoutError(call: TimedCall, { cancellation, confirmed }: CallEnding): TimeoutError {
  const what = call.name === undefined ? 'The statement' : `Query "${call.name}"`;
  const rollback = confirmed ? 'confirmed' : 'pending';
  return new TimeoutError(`${what} did not end within ${call.timeoutMs} ms.`, {
    timeoutMs: call.timeoutMs,
    ...(call.mayWrite ? { rollback } : {}),
    ...(cancellation === undefined ? {} : { cancellation }),
  });
}
