import { MillpondError, TransactionClosedError, TransactionError } from '../errors/index.ts';
import type { Loss } from './exchange.ts';
import { connectionLostError } from './translate-failure.ts';

/** What a call is told whose connection was lost. */
export function asLost({ error }: Loss): Error {
  return error instanceof MillpondError ? error : connectionLostError(error);
}

/** A statement of the engine's own, for the message about its failure. */
export function statementOf(text: string): { text: string; name: undefined; params: readonly unknown[] } {
  return { text, name: undefined, params: [] };
}

/** What a statement is told that comes after the transaction's end. */
export function closedError(why: string, cause: unknown): TransactionClosedError {
  return new TransactionClosedError(`The transaction has ended: ${lower(why)}. The statement was not run.`, {
    cause,
  });
}

function lower(text: string): string {
  return text[0] === 'P' ? text : text[0]!.toLowerCase() + text.slice(1);
}

/** What COMMIT is told of a transaction that can only be rolled back. */
export function abortedError(cause: Error | undefined): TransactionError {
  return new TransactionError(
    'The transaction was rolled back: a statement in it failed (see cause), and PostgreSQL takes nothing ' +
      "but a rollback after that. To go on after a failed part, run the part with propagation 'nested'.",
    {
      code: 'ERR_MILLPOND_TRANSACTION_ABORTED',
      cause,
      retryable: cause instanceof MillpondError && cause.retryable,
    },
  );
}
