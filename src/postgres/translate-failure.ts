import {
  ConnectionError,
  ConstraintError,
  OutcomeUnknownError,
  QueryExecutionError,
  ReadOnlyError,
  TransactionError,
  UsageError,
  type ConstraintKind,
  type MillpondError,
} from '../errors/index.ts';
import { redact } from './redact.ts';
import { isFatal, type ServerFailure } from './server-error.ts';

/** What failed. Of its values only what must not be said of them. */
export interface FailedStatement {
  readonly text: string;
  readonly name: string | undefined;
  readonly params: readonly unknown[];
  /** Of which one of a batch this is the text, from 0. */
  readonly part?: number;
}

/** SQLSTATEs: https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const SqlState = {
  readOnly: '25006',
  aborted: '25P02',
  lockNotAvailable: '55P03',
  cancelled: '57014',
  featureNotSupported: '0A000',
  unknownStatement: '26000',
} as const;

const CONSTRAINT_KINDS: ReadonlyMap<string, ConstraintKind> = new Map([
  ['23502', 'not-null'],
  ['23503', 'foreign-key'],
  ['23001', 'foreign-key'],
  ['23505', 'unique'],
  ['23P01', 'unique'],
  ['23514', 'check'],
]);

/** Serialization failure, deadlock, lock not available, and what a standby cancels for its replay. */
const RETRYABLE: ReadonlySet<string> = new Set(['40001', '40P01', '55P03']);
/** What refuses a statement that runs in no transaction block. */
const ALONE_ROUTINE = 'PreventInTransactionBlock';
const ALONE_ADVICE = '. Such a statement runs by itself, with db.run(…), outside transactions';
/** The parser proper has another one: what is refused here is a second statement in the text. */
const PARSE_ROUTINE = 'exec_parse_message';
const SYNTAX_ERROR = '42601';
const SEVERAL_ADVICE =
  '. Several statements go with db.script(…), or with db.batch([…]) where they have values';
/** The disk is full, out of memory, too many connections, a limit of the configuration. */
const FULL = '53100';

/** PostgreSQL's error, in the shape that is put in `cause`: without detail and context, which quote data. */
export class PostgresError extends Error {
  readonly severity: string;
  readonly sqlState: string;
  readonly hint: string | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;
  readonly routine: string | undefined;

  constructor(failure: ServerFailure, message: string) {
    super(message);
    this.name = 'PostgresError';
    this.severity = failure.severity;
    this.sqlState = failure.code;
    this.hint = failure.hint;
    this.schema = failure.schema;
    this.table = failure.table;
    this.column = failure.column;
    this.constraint = failure.constraint;
    this.routine = failure.routine;
  }
}

/** The public error of what the server said about a statement. */
export function translateFailure(failure: ServerFailure, statement: FailedStatement): MillpondError {
  const { text, name, params } = statement;
  const message = redact(failure.message, text, params);
  const cause = new PostgresError(failure, message);
  const details = { cause, sql: text, queryName: name, retryable: RETRYABLE.has(failure.code) };
  const what = (name === undefined ? '' : `Query "${name}": `) + placeOf(statement);
  const kind = CONSTRAINT_KINDS.get(failure.code);
  if (kind !== undefined && failure.constraint + (failure.column ?? '') !== '') {
    return new ConstraintError(`${what}${message}`, { ...details, kind, ...columnsOf(failure) });
  }
  if (isFatal(failure)) return connectionLostError(cause);
  const advice = adviceFor(failure);
  return translateCode(failure.code, `${what}${message}${advice}`, details);
}

function placeOf({ part }: FailedStatement): string {
  return part === undefined ? '' : `Statement ${part + 1} of the batch: `;
}

/** The caller's own mistake, in one statement of a batch: it says which one, from 0. */
export function faultInPart(error: unknown, part: number): unknown {
  if (!(error instanceof UsageError)) return error;
  return new UsageError(`Statement ${part + 1} of the batch: ${error.message}`, {
    cause: error,
    code: error.code,
  });
}

function adviceFor({ routine, code }: ServerFailure): string {
  if (routine === ALONE_ROUTINE) return ALONE_ADVICE;
  return routine === PARSE_ROUTINE && code === SYNTAX_ERROR ? SEVERAL_ADVICE : '';
}

function translateCode(
  code: string,
  message: string,
  details: ConstructorParameters<typeof QueryExecutionError>[1],
): MillpondError {
  switch (code) {
    case SqlState.readOnly:
      return new ReadOnlyError(`${message}.`, details);
    case SqlState.aborted:
      return new TransactionError(
        'The transaction was aborted by a statement that failed before; PostgreSQL takes nothing but its ' +
          "rollback now. To go on after a failed part, run the part with propagation 'nested'.",
        { code: 'ERR_MILLPOND_TRANSACTION_ABORTED', cause: details?.cause },
      );
    case FULL:
      return new QueryExecutionError(message, { ...details, code: 'ERR_MILLPOND_FULL', retryable: true });
    case SqlState.lockNotAvailable:
      return new QueryExecutionError(message, { ...details, code: 'ERR_MILLPOND_BUSY' });
    default:
      return new QueryExecutionError(message, details);
  }
}

/** `Key (tenant, email)=(…) already exists.`: the names stand in the detail, before the values. */
function columnsOf({ table, column, detail }: ServerFailure): {
  table?: string;
  columns?: readonly string[];
} {
  const listed = column ?? /\(([^()=]+)\)=\(/.exec(detail ?? '')?.[1];
  return {
    ...(table === undefined ? {} : { table }),
    ...(listed === undefined ? {} : { columns: listed.split(', ') }),
  };
}

/** The link was lost under a call that had no effect, or was never sent. */
export function connectionLostError(cause: unknown): ConnectionError {
  return new ConnectionError('The connection was lost before the statement took effect.', {
    cause,
    retryable: true,
  });
}

/** The link was lost under a write that the server may have done. */
export function outcomeUnknownError(cause: unknown): OutcomeUnknownError {
  return new OutcomeUnknownError(
    'The connection was lost after the statement was sent: what it should have written may be committed ' +
      'or not.',
    { cause },
  );
}

export function emptyTextError(): UsageError {
  return new UsageError('The SQL text holds no statement.');
}
