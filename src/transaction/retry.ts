import type { Clock } from '../async/index.ts';
import { OutcomeUnknownError } from '../errors/index.ts';

/** How a transaction that failed for a temporary reason is tried again, as a whole and from its BEGIN. */
export interface RetryOptions {
  /** Most further attempts after the first one: 1 … 100. */
  readonly attempts: number;
  /** @default 10 */
  readonly minDelayMs?: number | undefined;
  /** @default 500 */
  readonly maxDelayMs?: number | undefined;
  /** Asked after `retryable`: false gives up. */
  readonly when?: ((error: unknown) => boolean) | undefined;
}

export interface RetryPolicy {
  readonly attempts: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly when: (error: unknown) => boolean;
}

const DEFAULTS = { minDelayMs: 10, maxDelayMs: 500 };
const MAX_CAUSES = 10;

export function resolveRetry(given: number | RetryOptions): RetryPolicy | undefined {
  const options = typeof given === 'number' ? { attempts: given } : given;
  if (options.attempts === 0) return undefined;
  return {
    attempts: options.attempts,
    minDelayMs: options.minDelayMs ?? DEFAULTS.minDelayMs,
    maxDelayMs: options.maxDelayMs ?? Math.max(DEFAULTS.maxDelayMs, options.minDelayMs ?? 0),
    when: options.when ?? (() => true),
  };
}

/** @returns what is wrong with `given`, or undefined. */
export function checkRetry(given: unknown): string | undefined {
  if (typeof given === 'number') return checkAttempts(given, 0);
  if (typeof given !== 'object' || given === null)
    return 'must be a number or { attempts, minDelayMs, maxDelayMs, when }';
  const { attempts, minDelayMs, maxDelayMs, when, ...unknown } = given as Partial<Record<string, unknown>>;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined)
    return `has no option "${stranger}"; there are attempts, minDelayMs, maxDelayMs, when`;
  if (!isDelay(minDelayMs) || !isDelay(maxDelayMs)) return 'takes minDelayMs and maxDelayMs from 0 to 60000';
  if (minDelayMs !== undefined && maxDelayMs !== undefined && minDelayMs > maxDelayMs) {
    return 'has a minDelayMs above its maxDelayMs';
  }
  if (when !== undefined && typeof when !== 'function') return 'takes a function as `when`';
  return checkAttempts(attempts, 1);
}

/** Doubling waits with full jitter, so that transactions that collided once do not collide again. */
export function retryDelayMs(
  policy: RetryPolicy,
  attempt: number,
  random: () => number = Math.random,
): number {
  const ceilingMs = Math.min(policy.maxDelayMs, policy.minDelayMs * 2 ** attempt);
  return policy.minDelayMs + random() * (ceilingMs - policy.minDelayMs);
}

/**
 * Whether the same transaction may succeed now. An unknown outcome anywhere among the causes forbids that:
 * the transaction may be committed.
 */
export function isRetryable(error: unknown): boolean {
  let retryable = false;
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof cause === 'object' && cause !== null; depth++) {
    if (cause instanceof OutcomeUnknownError) return false;
    if ((cause as { retryable?: unknown }).retryable === true) retryable = true;
    cause = (cause as { cause?: unknown }).cause;
  }
  return retryable;
}

/** Waits; rejects at once with the reason when `signal` is aborted. */
export async function pause(delayMs: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = clock.after(delayMs, resolve, { keepAlive: true });
  const onAbort = (): void => reject(signal!.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await promise;
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}

function checkAttempts(attempts: unknown, least: number): string | undefined {
  if (Number.isInteger(attempts) && (attempts as number) >= least && (attempts as number) <= 100)
    return undefined;
  return `must ask for ${least} to 100 attempts`;
}

function isDelay(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && value >= 0 && value <= 60_000);
}
