import { TimeoutError } from '../errors/index.ts';
import type { CallDetails, CallEnding } from './pending-call.ts';

/** What a call's limit says of it. */
export type TimeLimit = Pick<CallDetails, 'name' | 'timeoutMs' | 'writes'>;

/**
 * The error of a call that was ended at its limit; it says how, and whether what it wrote is known to be
 * undone.
 */
export function timeoutError(call: TimeLimit, { cancellation, confirmed }: CallEnding): TimeoutError {
  const what = call.name === undefined ? 'The statement' : `Query "${call.name}"`;
  const rollback = confirmed ? 'confirmed' : 'pending';
  return new TimeoutError(`${what} did not end within ${call.timeoutMs} ms.`, {
    timeoutMs: call.timeoutMs,
    ...(call.writes ? { rollback } : {}),
    ...(cancellation === undefined ? {} : { cancellation }),
  });
}
