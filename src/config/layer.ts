import type { Origin } from './problems.ts';
import type { OptionName } from './schema.ts';

/** One option's value, checked by itself, and where it was written. */
export interface Setting extends Origin {
  readonly option: OptionName;
  readonly value: unknown;
}

/** A database's address as it was written, not yet read. */
export interface Address extends Origin {
  readonly url: string;
}

/** What one source says. */
export interface Layer {
  readonly settings: readonly Setting[];
  readonly url?: Address | undefined;
  readonly writeUrl?: Address | undefined;
  readonly readUrls: readonly Address[];
}

export const EMPTY_LAYER: Layer = { settings: [], readUrls: [] };

/**
 * How a value's origin appears in `sources`: `options`, `DB_POOL_MAX`, `DB_POOL_MAX in .env.local`,
 * `config/database.yaml:7`.
 */
export function describeOrigin({ key, source }: Origin): string {
  if (source === 'environment') return key;
  return source.startsWith('.env') ? `${key} in ${source}` : source;
}
