import { rejectTraced } from '../async/index.ts';
import { MillpondError, TransactionClosedError } from '../errors/index.ts';

interface AwaitedCall {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Rejects a caller's call, after `tell`. An error of ours gets the stack of who awaits it; others are the
 * caller's own reason to abort, and left as they are. So is the end of a transaction, of which all of its
 * calls are told with one error.
 */
export function rejectCall(call: AwaitedCall, error: unknown, tell: () => void): void {
  if (error instanceof MillpondError && !(error instanceof TransactionClosedError))
    return rejectTraced(call.resolve, error, tell);
  tell();
  call.reject(error);
}
