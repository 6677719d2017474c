import { HTTPException } from 'hono/http-exception';
import {
  ConnectionError,
  ConnectionPoolExhaustedError,
  ConstraintError,
  MillpondError,
  OutcomeUnknownError,
  TimeoutError,
} from '../errors/index.ts';
import { HttpProblem } from './http-problem.ts';

/** The client went away before it was answered; nobody reads this. nginx logs the same number. */
export const CLIENT_GONE = 499;

const RETRY_SOON = { 'Retry-After': '1' };

/** The reason with which work for a client that went away is aborted. */
export class ClientGoneError extends MillpondError {
  readonly code = 'ERR_MILLPOND_CLIENT_GONE';

  constructor() {
    super('The client went away before it was answered.');
  }
}

/**
 * What a client is told about an error. Of errors not meant for clients it learns only the kind: their
 * messages hold SQL, names of tables, paths.
 */
export function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof HTTPException) return problemOfException(error);
  if (error instanceof ConstraintError) return problemOfConstraint(error);
  if (error instanceof OutcomeUnknownError) {
    const detail = 'It is not known whether the request took effect. Look before you try again.';
    return new HttpProblem(500, { detail, cause: error });
  }
  if (error instanceof TimeoutError) {
    // Undone, or never begun: that is what the error promises.
    const detail = 'The request took too long and was undone.';
    return new HttpProblem(504, { detail, cause: error });
  }
  if (error instanceof ClientGoneError)
    return new HttpProblem(CLIENT_GONE, { title: 'Client Closed Request' });
  if (isPassing(error)) {
    const detail = 'The service is busy or cannot reach its database. Try again in a moment.';
    return new HttpProblem(503, { detail, headers: RETRY_SOON, cause: error });
  }
  return new HttpProblem(500, { cause: error });
}

function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionPoolExhaustedError || error instanceof ConnectionError) return true;
  return error instanceof MillpondError && error.retryable;
}

/** The message of an exception below 500 is meant for the client. */
function problemOfException(error: HTTPException): HttpProblem {
  const detail = error.status < 500 && error.message !== '' ? error.message : undefined;
  return new HttpProblem(error.status, { detail, cause: error });
}

const BY_KIND: Readonly<Record<ConstraintError['kind'], readonly [status: number, detail: string]>> = {
  unique: [409, 'Something with the same unique values exists already.'],
  'foreign-key': [409, 'Something that this refers to, or that refers to this, stands in the way.'],
  'not-null': [422, 'A required value is missing.'],
  check: [422, 'A value is out of range.'],
};

function problemOfConstraint(error: ConstraintError): HttpProblem {
  const [status, detail] = BY_KIND[error.kind];
  return new HttpProblem(status, { detail, cause: error });
}
