import { ConnectionError, TimeoutError, TransactionError } from '../errors/index.ts';
import type { Interruption } from './state.ts';

/** The time of a transaction or savepoint is up. */
export function timedOut(label: string, timeoutMs: number): Interruption {
  return limitPassed(
    `was rolled back after its timeout of ${timeoutMs} ms`,
    `${label} did not end within ${timeoutMs} ms`,
    timeoutMs,
  );
}

/** It kept its connection without a statement under way for too long. */
export function idleTooLong(label: string, timeoutMs: number): Interruption {
  return limitPassed(
    `was rolled back because it was idle for ${timeoutMs} ms`,
    `${label} was idle: no statement was under way for ${timeoutMs} ms. ` +
      'Do slow work (requests, computation) before or after the transaction, not in it',
    timeoutMs,
  );
}

export function aborted(label: string, reason: unknown): Interruption {
  return {
    how: 'was rolled back because its signal was aborted',
    reason:
      reason instanceof Error ? reason : new TransactionError(`${label} was aborted.`, { cause: reason }),
    toError: () => reason,
  };
}

export function shutDown(reason: Error): Interruption {
  return { how: 'was rolled back because the database was closed', reason, toError: () => reason };
}

export function connectionLost(label: string, cause: Error): Interruption {
  const error = new ConnectionError(
    `${label} was rolled back because its connection was lost: ${cause.message}`,
    // Nothing of it can be committed any more, so the whole may be tried again.
    { cause, retryable: true },
  );
  return {
    how: 'was rolled back because its connection was lost',
    reason: error,
    toError: () => error,
    gone: true,
  };
}

export function beginFailed(label: string, cause: unknown): Interruption {
  const reason =
    cause instanceof Error ? cause : new TransactionError(`${label} could not begin.`, { cause });
  return { how: 'could not begin', reason, toError: () => cause };
}

function limitPassed(how: string, message: string, timeoutMs: number): Interruption {
  return {
    how,
    reason: new TimeoutError(`${message}; it is being rolled back.`, { timeoutMs }),
    toError: (rollback) =>
      new TimeoutError(
        rollback === 'confirmed'
          ? `${message}. It was rolled back.`
          : `${message}. It will be rolled back; that was not confirmed yet.`,
        { timeoutMs, rollback },
      ),
  };
}
