import { suggest } from '../config/index.ts';
import type { Isolation } from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import { checkRetry, resolveRetry, type RetryOptions, type RetryPolicy } from './retry.ts';

/** What to do about a transaction of the same database that is already running in this flow. */
export type Propagation =
  | 'required'
  | 'requires-new'
  | 'nested'
  | 'mandatory'
  | 'never'
  | 'supports'
  | 'not-supported';

/** Options of `db.begin()`. */
export interface BeginTransactionOptions {
  /** Writes are refused; on SQLite it runs beside the writer, on one snapshot. @default false */
  readonly readOnly?: boolean | undefined;
  /** At least this level. @default the engine's */
  readonly isolation?: Isolation | undefined;
  /**
   * What `db.lastWrite()` gave, perhaps elsewhere: a read-only transaction on a replica sees at least the
   * writes before it.
   */
  readonly readAfter?: string | undefined;
  /**
   * False: SQLite neither checks foreign keys nor acts on them until the transaction has ended, as the
   * rebuild of a table needs it. Running `pragma foreign_key_check` before its end is then up to you. SQLite
   * only.
   * @default true
   */
  readonly foreignKeys?: boolean | undefined;
  /**
   * Longest time from holding the connection to the end; then it is rolled back. 0 = off. @default
   * transactionTimeoutMs
   */
  readonly timeoutMs?: number | undefined;
  /** Aborting rolls back and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How the transaction appears in events, messages and reports. */
  readonly name?: string | undefined;
}

/** Options of `db.transaction()`, `transactional()` and `@Transactional()`. */
export interface TransactionOptions extends BeginTransactionOptions {
  /** @default 'required' */
  readonly propagation?: Propagation | undefined;
  /**
   * Try again, from BEGIN, after an error whose `retryable` is true: how often at most, or more precisely.
   * The outermost transaction decides; where this one joins or nests it has no effect. @default 0
   */
  readonly retry?: number | RetryOptions | undefined;
  /**
   * What becomes of inner transactions that would join this one: a part of it, or each a savepoint, so that a
   * failed one is undone alone. For tests around code that has transactions of its own. @default 'join'
   */
  readonly inner?: 'join' | 'nest' | undefined;
}

/** Options of `tx.transaction()` and `tx.begin()`: a savepoint inside the transaction. */
export interface NestedOptions {
  readonly readOnly?: boolean | undefined;
  /**
   * Longest time of this savepoint; then it alone is rolled back. 0 = only the transaction's own limit.
   * @default 0
   */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly name?: string | undefined;
}

/** The modes in which the work may run without a transaction, and then gets no handle. */
export type OptionalPropagation = 'never' | 'supports' | 'not-supported';

export interface ResolvedTransactionOptions {
  readonly readOnly: boolean;
  readonly isolation: Isolation | undefined;
  readonly foreignKeys: boolean;
  /** As given: only a transaction that begins falls back to the database's default. */
  readonly timeoutMs: number | undefined;
  readonly propagation: Propagation;
  readonly retry: RetryPolicy | undefined;
  readonly inner: 'join' | 'nest';
  readonly signal: AbortSignal | undefined;
  readonly name: string | undefined;
}

/** The longest delay a timer can hold. */
const MAX_TIMEOUT_MS = 2_147_483_647;
const PROPAGATIONS = [
  'required',
  'requires-new',
  'nested',
  'mandatory',
  'never',
  'supports',
  'not-supported',
];
const INNER = ['join', 'nest'];
const ISOLATIONS = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'];

const CHECKS: Record<keyof TransactionOptions, (value: unknown) => string | undefined> = {
  readOnly: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  isolation: (value) => oneOf(ISOLATIONS, value),
  readAfter: (value) => (typeof value === 'string' ? undefined : 'must be what db.lastWrite() gave'),
  foreignKeys: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  timeoutMs: (value) =>
    Number.isFinite(value) && (value as number) >= 0 && (value as number) <= MAX_TIMEOUT_MS
      ? undefined
      : `must be a number of milliseconds from 0 (off) to ${MAX_TIMEOUT_MS}`,
  propagation: (value) => oneOf(PROPAGATIONS, value),
  retry: checkRetry,
  inner: (value) => oneOf(INNER, value),
  signal: (value) => (value instanceof AbortSignal ? undefined : 'must be an AbortSignal'),
  name: (value) => (typeof value === 'string' ? undefined : 'must be a string'),
};

const ALL_OPTIONS = Object.keys(CHECKS) as (keyof TransactionOptions)[];
const BEGIN_OPTIONS: readonly string[] = [
  'readOnly',
  'isolation',
  'readAfter',
  'foreignKeys',
  'timeoutMs',
  'signal',
  'name',
];
const NESTED_OPTIONS: readonly string[] = ['readOnly', 'timeoutMs', 'signal', 'name'];
const DEFAULTS: ResolvedTransactionOptions = Object.freeze({
  readOnly: false,
  isolation: undefined,
  foreignKeys: true,
  timeoutMs: undefined,
  propagation: 'required',
  retry: undefined,
  inner: 'join',
  signal: undefined,
  name: undefined,
});

/** @throws UsageError naming every fault, unknown options included. */
export function resolveTransactionOptions(given: TransactionOptions | undefined): ResolvedTransactionOptions {
  return resolve(given, ALL_OPTIONS, 'transaction()');
}

/** @throws UsageError naming every fault. */
export function resolveBeginOptions(given: BeginTransactionOptions | undefined): ResolvedTransactionOptions {
  return resolve(given, BEGIN_OPTIONS, 'begin()');
}

/** @throws UsageError naming every fault. */
export function resolveNestedOptions(
  given: NestedOptions | undefined,
  caller: string,
): ResolvedTransactionOptions {
  return resolve(given, NESTED_OPTIONS, caller);
}

function unknownOption(key: string, allowed: readonly string[]): string {
  const meant = suggest(key, allowed);
  const hint = meant === undefined ? `there are ${allowed.join(', ')}` : `did you mean ${meant}?`;
  return `there is no option "${key}" (${hint})`;
}

function resolve(
  given: TransactionOptions | undefined,
  allowed: readonly string[],
  caller: string,
): ResolvedTransactionOptions {
  if (given === undefined) return DEFAULTS;
  if (typeof given !== 'object' || given === null)
    throw new UsageError(`The options of ${caller} must be an object.`);
  const faults: string[] = [];
  for (const [key, value] of Object.entries(given)) {
    if (!allowed.includes(key)) faults.push(unknownOption(key, allowed));
    else if (value !== undefined) {
      const fault = CHECKS[key as keyof TransactionOptions](value);
      if (fault !== undefined) faults.push(`${key} ${fault}`);
    }
  }
  if (faults.length > 0) throw new UsageError(`The options of ${caller} are wrong: ${faults.join('; ')}.`);
  return {
    readOnly: given.readOnly ?? false,
    isolation: given.isolation,
    foreignKeys: given.foreignKeys ?? true,
    timeoutMs: given.timeoutMs,
    propagation: given.propagation ?? 'required',
    retry: given.retry === undefined ? undefined : resolveRetry(given.retry),
    inner: given.inner ?? 'join',
    signal: given.signal,
    name: given.name,
  };
}

function oneOf(allowed: readonly string[], value: unknown): string | undefined {
  return allowed.includes(value as string)
    ? undefined
    : `must be one of ${allowed.map((word) => `'${word}'`).join(', ')}`;
}
