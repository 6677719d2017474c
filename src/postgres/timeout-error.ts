import { TimeoutError } from '../errors/index.ts';

/** What a call's limit says of it. */
export interface TimeLimit {
  readonly name: string | undefined;
  readonly timeoutMs: number;
  readonly mayWrite: boolean;
}

/** How a call that was to end did end. */
export interface CallEnding {
  /** It was sent, and the server was asked to stop it. */
  readonly wasRunning: boolean;
  /** Whether the server confirmed that it has no effect. */
  readonly confirmed: boolean;
}

/** The error of a call that was ended at its limit; it says whether what it wrote is known to be undone. */
export function timeoutError(call: TimeLimit, { wasRunning, confirmed }: CallEnding): TimeoutError {
  const what = call.name === undefined ? 'The statement' : `Query "${call.name}"`;
  return new TimeoutError(`${what} did not end within ${call.timeoutMs} ms.`, {
    timeoutMs: call.timeoutMs,
    ...(call.mayWrite ? { rollback: confirmed ? 'confirmed' : 'pending' } : {}),
    ...(wasRunning ? { cancellation: confirmed ? 'interrupt' : 'abandon' } : {}),
  });
}
