import type { Label } from './labels.ts';

/** A value as other processes keep it; times from now, in ms. */
export interface SharedValue {
  readonly value: unknown;
  readonly labels: readonly Label[];
  readonly freshMs: number;
  readonly staleMs: number;
  /** Until it may not be given in any case. */
  readonly goneMs: number;
}

/**
 * What a process may store later, if nothing it depends on was changed since: a version that all processes
 * share.
 */
export interface FillTicket {
  readonly epoch: string;
  readonly version: number;
}

export interface SharedLookup {
  readonly found: SharedValue | undefined;
  readonly ticket: FillTicket | undefined;
}

/**
 * The tier behind the memory. Takes bounded time, and never fails: a tier in trouble answers that it has
 * nothing.
 */
export interface SecondTier {
  read(key: string): Promise<SharedLookup>;
  /** @returns false where it was refused: what the value depends on was changed meanwhile */
  store(key: string, value: SharedValue, ticket: FillTicket): Promise<boolean>;
}

export interface SecondTierStats {
  /** `open`: it failed repeatedly and is left alone for a moment. */
  readonly state: 'connecting' | 'ready' | 'open' | 'closed';
  /** Values it had. */
  readonly hits: number;
  readonly misses: number;
  /** Calls that failed or took longer than `cacheTimeoutMs`. */
  readonly failures: number;
  /** Values that were damaged or tampered with: they count as missing. */
  readonly rejected: number;
  readonly stored: number;
  /** Invalidations that the other processes have not been told about yet. */
  readonly untold: number;
}
