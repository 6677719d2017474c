import { UsageError } from '../errors/index.ts';
import { FailureCode } from './protocol.ts';

/** Primary result codes: https://sqlite.org/rescode.html */
export const Sqlite = {
  error: 1,
  busy: 5,
  locked: 6,
  readOnly: 8,
  interrupt: 9,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  schema: 17,
  tooBig: 18,
  constraint: 19,
  auth: 23,
  notADatabase: 26,
} as const;

/**
 * Extended codes of SQLITE_IOERR by which the disk itself failed: reading, a short read, writing, fsync of
 * the file or its folder, truncating, fstat, and what a checksumming file system says. Not among them: locks,
 * memory, and the shared memory beside the log, which a full disk keeps from growing.
 * https://sqlite.org/rescode.html#ioerr
 */
const DISK_FAILURES: ReadonlySet<number> = new Set([10, 266, 522, 778, 1034, 1290, 1546, 1802, 8202, 8458]);

/**
 * An index of a virtual table that does not fit its content. An application can cause that; the file is
 * sound.
 */
const CORRUPT_VIRTUAL_TABLE = 267;

/** An error on its way from a worker to the main thread, which makes the public error of it. */
export interface Failure {
  /** SQLite's extended result code, or one of `FailureCode`. */
  readonly code: number;
  readonly message: string;
  /** Which statement of a batch it was, from 0. */
  readonly part?: number | undefined;
}

interface ThrownError {
  readonly errcode: number;
  readonly message: string;
  readonly code: string;
  readonly part: number;
}

/** Runs a statement of a batch; what it throws tells which one it was. */
export function asPart<T>(part: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof Error ? Object.assign(error, { part }) : error;
  }
}

export function toFailure(error: unknown): Failure {
  if (error instanceof UsageError) {
    const { message, part } = error as UsageError & { readonly part?: number };
    return { code: usageFailure(error), message, part };
  }
  const { errcode, message, code, part } = error as Partial<ThrownError>;
  if (typeof errcode === 'number') return { code: errcode, message: message ?? 'unknown error', part };
  return { code: FailureCode.internal, message: `${code ?? 'error'}: ${message ?? String(error)}` };
}

function usageFailure({ code }: UsageError): number {
  return code === 'ERR_MILLPOND_DUPLICATE_COLUMN' ? FailureCode.duplicateColumn : FailureCode.usage;
}

/** The primary code of an extended one: the low byte. */
export function primaryCode(code: number): number {
  return code < 0 ? code : code & 0xff;
}

export function isDiskFailure(code: number): boolean {
  return DISK_FAILURES.has(code);
}

/** SQLite found that the file is damaged, or is no database. */
export function isDamage(code: number): boolean {
  const primary = primaryCode(code);
  return (primary === Sqlite.corrupt && code !== CORRUPT_VIRTUAL_TABLE) || primary === Sqlite.notADatabase;
}

export function isBusy(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && primaryCode(errcode) === Sqlite.busy;
}

/** The caller has been told, or is about to be, that its call was ended. */
export function cancelledError(): Error {
  return Object.assign(new Error('cancelled'), { errcode: FailureCode.cancelled });
}

/** A statement that was stopped. SQLite undoes an interrupted write, with the whole transaction around it. */
export function isInterrupt(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && primaryCode(errcode) === Sqlite.interrupt;
}

/** Whether a call ended because it was told to. */
export function isStopped({ code }: Failure): boolean {
  return code === FailureCode.cancelled || isInterrupt({ errcode: code });
}
