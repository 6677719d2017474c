import {
  ConnectionError,
  ConstraintError,
  OutcomeUnknownError,
  QueryExecutionError,
  ReadOnlyError,
  TransactionClosedError,
  UsageError,
  type ConstraintKind,
  type MillpondError,
} from '../errors/index.ts';
import { primaryCode, Sqlite, type Failure } from './failure.ts';
import { FailureCode } from './protocol.ts';

/** What the public error may say about the statement. Never its values. */
export interface FailedStatement {
  readonly text: string;
  readonly name: string | undefined;
  /** Of which one of a batch this is the text, from 0. */
  readonly part?: number;
}

/** Extended result codes of SQLITE_CONSTRAINT: https://sqlite.org/rescode.html#constraint */
const CONSTRAINT_KINDS: ReadonlyMap<number, ConstraintKind> = new Map([
  [275, 'check'],
  [787, 'foreign-key'],
  [1299, 'not-null'],
  [1555, 'unique'],
  [2067, 'unique'],
  [2579, 'unique'],
  [3091, 'check'],
]);

/** SQLite's error, in the shape that is put in `cause`. */
class SqliteError extends Error {
  readonly errcode: number;

  constructor({ code, message }: Failure) {
    super(message);
    this.name = 'SqliteError';
    this.errcode = code;
    // Where it is made of an answer says nothing; the error that it is the cause of says who asked.
    this.stack = `SqliteError: ${message}`;
  }
}

/** The public error of a failure that came from a connection's thread. */
export function translateFailure(failure: Failure, statement?: FailedStatement): MillpondError {
  if (failure.code < 0) return translateOwnCode(failure, statement);
  const details = { cause: new SqliteError(failure), sql: statement?.text, queryName: statement?.name };
  const what = nameOf(statement);
  switch (primaryCode(failure.code)) {
    case Sqlite.constraint:
      return translateConstraint(failure, what, details);
    case Sqlite.busy:
    case Sqlite.locked:
      return new QueryExecutionError(
        `${what}another connection kept the file locked for longer than busyTimeoutMs: ${failure.message}`,
        { ...details, code: 'ERR_MILLPOND_BUSY', retryable: true },
      );
    case Sqlite.readOnly:
      return new ReadOnlyError(`${what}${whyReadOnly(failure)}`, details);
    case Sqlite.full:
      return new QueryExecutionError(
        `${what}the disk or the database is full; nothing was written. Free space and try again.`,
        { ...details, code: 'ERR_MILLPOND_FULL', retryable: true },
      );
    case Sqlite.corrupt:
    case Sqlite.notADatabase:
      return new QueryExecutionError(
        `${what}the database file is damaged (${failure.message}). Nothing was repaired or deleted: ` +
          'restore a backup, or see https://sqlite.org/recovery.html',
        { ...details, code: 'ERR_MILLPOND_CORRUPT' },
      );
    case Sqlite.ioError:
      return new QueryExecutionError(`${what}an I/O error on the database file: ${failure.message}`, {
        ...details,
        code: 'ERR_MILLPOND_IO',
      });
    default:
      return new QueryExecutionError(`${what}${failure.message}`, details);
  }
}

function translateOwnCode(failure: Failure, statement?: FailedStatement): MillpondError {
  switch (failure.code) {
    case FailureCode.usage:
      return new UsageError(`${placeOf(statement)}${failure.message}`);
    case FailureCode.duplicateColumn:
      return new UsageError(`${placeOf(statement)}${failure.message}`, {
        code: 'ERR_MILLPOND_DUPLICATE_COLUMN',
      });
    case FailureCode.transactionEnded:
      return new TransactionClosedError(
        'SQLite has ended the transaction by itself (a failed BEGIN, a full disk, ON CONFLICT ROLLBACK, ' +
          'RAISE(ROLLBACK) or an interrupted write): nothing of it was written, and this statement was ' +
          'not run.',
      );
    case FailureCode.connectionDoubtful:
      return connectionLostError(new SqliteError(failure));
    case FailureCode.outcomeUnknown:
    case FailureCode.diskFailed:
      return new OutcomeUnknownError(
        `COMMIT met an I/O error (${failure.message}): what it should have written may be on disk or not.`,
        { cause: new SqliteError(failure) },
      );
    default:
      return new QueryExecutionError(failure.message, { sql: statement?.text, queryName: statement?.name });
  }
}

/** How a message begins: with the name that the caller gave, and the place in a batch. */
function nameOf(statement: FailedStatement | undefined): string {
  return (statement?.name === undefined ? '' : `Query "${statement.name}": `) + placeOf(statement);
}

function placeOf(statement: FailedStatement | undefined): string {
  return statement?.part === undefined ? '' : `Statement ${statement.part + 1} of the batch: `;
}

/** The plain code is of a connection that only reads; the extended ones are about the file. */
function whyReadOnly({ code, message }: Failure): string {
  if (code !== Sqlite.readOnly) return `the database file cannot be written: ${message}.`;
  return 'The statement writes, and it is in a transaction, or on a database, with readOnly: true.';
}

function translateConstraint(
  failure: Failure,
  what: string,
  details: { cause: Error; sql: string | undefined; queryName: string | undefined },
): MillpondError {
  const kind = isRestrict(failure) ? 'foreign-key' : CONSTRAINT_KINDS.get(failure.code);
  // RAISE(ABORT, 'text') in a trigger is a constraint failure too, with a text of the schema's own.
  if (kind === undefined) return new QueryExecutionError(`${what}${failure.message}`, details);
  return new ConstraintError(`${what}${failure.message}`, {
    ...details,
    kind,
    ...parseColumns(failure.message),
  });
}

/** ON DELETE RESTRICT fails under the code of a trigger, which it is inside: SQLITE_CONSTRAINT_TRIGGER. */
function isRestrict({ code, message }: Failure): boolean {
  return code === 1811 && message === 'FOREIGN KEY constraint failed';
}

/** `UNIQUE constraint failed: users.email, users.tenant`; CHECK and FOREIGN KEY name no columns. */
function parseColumns(message: string): { table?: string; columns?: readonly string[] } {
  const list = message.split('constraint failed: ')[1];
  if (list === undefined || !list.includes('.')) return {};
  const columns = list.split(', ').map((column) => column.slice(column.indexOf('.') + 1));
  return { table: list.slice(0, list.indexOf('.')), columns };
}

/** A worker died, or was ended, under a call that had no effect yet. */
export function connectionLostError(cause: unknown): ConnectionError {
  return new ConnectionError('The connection was lost before the statement took effect.', {
    cause,
    retryable: true,
  });
}
