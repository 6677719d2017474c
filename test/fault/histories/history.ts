/** One step of a transaction on lists that only grow; each value is appended once in a whole history. */
export type Step =
  | { readonly kind: 'append'; readonly list: number; readonly value: number }
  | { readonly kind: 'read'; readonly list: number; readonly seen: readonly number[] };

/** What one caller asked for, when, and what it was told. */
export interface Entry {
  readonly steps: readonly Step[];
  /** `performance.now()` before it was asked for, and when its caller was told. */
  readonly beganAt: number;
  readonly endedAt: number;
  readonly told: 'committed' | 'refused' | 'unknown';
}

/** The lists as they are in the end. */
export type Lists = ReadonlyMap<number, readonly number[]>;
