import { UsageError } from '../errors/index.ts';
import type { CallOptions } from './calls.ts';

/** The options of a call without options: one object, so that no call makes its own and engines know it. */
export const NO_OPTIONS: CallOptions = Object.freeze({});

/** setTimeout makes 1 ms of more: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

const KEYS: readonly string[] = [
  'timeoutMs',
  'signal',
  'name',
  'target',
  'readAfter',
] satisfies (keyof CallOptions)[];

/**
 * The options of a call, checked.
 * @throws UsageError
 */
export function checkCallOptions(given: unknown): CallOptions {
  if (given === undefined) return NO_OPTIONS;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new UsageError(`Call options are an object with ${KEYS.join(', ')}: its values go into the query.`);
  }
  const unknown = Object.keys(given).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw unknownOption(unknown);
  const options: CallOptions = given;
  checkTimeout(options.timeoutMs);
  checkSignal(options.signal);
  checkName(options.name);
  checkTarget(options.target);
  checkReadAfter(options.readAfter);
  return options;
}

/** True for an object that can only have been meant as options. */
export function looksLikeOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => KEYS.includes(key));
}

function unknownOption(key: string): UsageError {
  const wanted = key.toLowerCase();
  const meant = KEYS.find(
    (known) => wanted.includes(known.toLowerCase()) || known.toLowerCase().includes(wanted),
  );
  const suggestion = meant === undefined ? '' : ` Did you mean ${meant}?`;
  return new UsageError(
    `A call has no option ${JSON.stringify(key.slice(0, 64))}.${suggestion} It takes ${KEYS.join(', ')}.`,
  );
}

function checkTimeout(timeoutMs: unknown): void {
  if (timeoutMs === undefined) return;
  if (typeof timeoutMs === 'number' && timeoutMs >= 0 && timeoutMs <= LONGEST_TIMEOUT_MS) return;
  throw new UsageError(`timeoutMs is a number of milliseconds from 0 (no limit) to ${LONGEST_TIMEOUT_MS}.`);
}

function checkSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  const hint = signal instanceof AbortController ? ': pass controller.signal' : '';
  throw new UsageError(`signal is an AbortSignal${hint}.`);
}

function checkName(name: unknown): void {
  if (name === undefined || typeof name === 'string') return;
  throw new UsageError('name is a string: how the query appears in events, logs and metrics.');
}

function checkTarget(target: unknown): void {
  if (target === undefined || target === 'primary' || target === 'replica') return;
  throw new UsageError("target is 'primary' or 'replica'.");
}

function checkReadAfter(readAfter: unknown): void {
  if (readAfter === undefined || typeof readAfter === 'string') return;
  throw new UsageError('readAfter is what db.lastWrite() gave: a string.');
}
