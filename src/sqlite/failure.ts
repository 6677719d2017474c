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

/** An error on its way from a worker to the main thread, which makes the public error of it. */
export interface Failure {
  /** SQLite's extended result code, or one of `FailureCode`. */
  readonly code: number;
  readonly message: string;
}

export function toFailure(error: unknown): Failure {
  if (error instanceof UsageError) return { code: FailureCode.usage, message: error.message };
  const { errcode, message, code } = error as { errcode?: number; message?: string; code?: string };
  if (typeof errcode === 'number') return { code: errcode, message: message ?? 'unknown error' };
  return { code: FailureCode.internal, message: `${code ?? 'error'}: ${message ?? String(error)}` };
}

/** The primary code of an extended one: the low byte. */
export function primaryCode(code: number): number {
  return code < 0 ? code : code & 0xff;
}

export function isBusy(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && primaryCode(errcode) === Sqlite.busy;
}
