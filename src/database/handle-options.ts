import { suggest } from '../config/index.ts';
import { UsageError } from '../errors/index.ts';

/** What is wrong with a value, in words behind the option's name; undefined where nothing is. */
type Check = (value: unknown) => string | undefined;

type Call = 'acquire()' | 'backup()' | 'close()';

const LONGEST_TIMEOUT_MS = 2_147_483_647;

const timeout: Check = (value) =>
  typeof value === 'number' && value >= 0 && value <= LONGEST_TIMEOUT_MS
    ? undefined
    : `is a number of milliseconds from 0 to ${LONGEST_TIMEOUT_MS}`;
const signal: Check = (value) => (value instanceof AbortSignal ? undefined : 'is an AbortSignal');
const text: Check = (value) => (typeof value === 'string' ? undefined : 'is a string');
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'is true or false');

const CHECKS: Readonly<Record<Call, Readonly<Record<string, Check>>>> = {
  'acquire()': { timeoutMs: timeout, signal, name: text },
  'backup()': { overwrite: flag },
  'close()': { timeoutMs: timeout },
};

/** The options of a call on the database that is no statement. @throws UsageError naming the first fault */
export function checkHandleOptions<Options extends object>(
  call: Call,
  given: Options | undefined,
): Partial<Options> {
  if (given === undefined) return {};
  const checks = CHECKS[call];
  const names = Object.keys(checks);
  if (typeof given !== 'object' || given === null)
    throw new UsageError(`The options of ${call} are an object with ${names.join(', ')}.`);
  for (const [key, value] of Object.entries(given)) {
    if (!names.includes(key)) throw unknownOption(call, key, names);
    const fault = value === undefined ? undefined : checks[key]!(value);
    if (fault !== undefined) throw new UsageError(`${key} of ${call} ${fault}.`);
  }
  return given;
}

function unknownOption(call: string, key: string, names: readonly string[]): UsageError {
  const meant = suggest(key, names);
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
  return new UsageError(`${call} has no option "${key.slice(0, 64)}".${hint} It takes ${names.join(', ')}.`);
}
