import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Label } from './labels.ts';
import type { SharedValue } from './second-tier.ts';
import { decodeValue, encodeValue } from './value-codec.ts';

/** A value as it lies in Redis. */
export interface SealedValue {
  /** Without spaces inside, one space between. */
  readonly labels: string;
  /** `freshMs staleMs goneMs`, from the moment of storing. */
  readonly life: string;
  readonly seal: string;
  readonly data: string;
}

/** Redis forgets after 30 days what is to be kept for ever. */
const LONGEST_MS = 30 * 24 * 3_600_000;

/**
 * Seals values for their way through Redis. The seal covers the key too: a value that was moved to another
 * key, or changed in any part, is not accepted. Without a secret that finds damage; with one, forgery as
 * well.
 */
export class Sealer {
  readonly #secret: string | undefined;

  constructor(secret: string | undefined) {
    this.#secret = secret;
  }

  /** @throws UnshareableError where the value has no form outside of this process */
  seal(key: string, { value, labels, freshMs, staleMs, goneMs }: SharedValue): SealedValue {
    const life = [freshMs, staleMs, goneMs].map((ms) => Math.min(Math.ceil(ms), LONGEST_MS)).join(' ');
    const parts = { labels: labels.join(' '), life, data: encodeValue(value) };
    return { ...parts, seal: this.#sealOf(key, parts) };
  }

  /** @returns undefined for what was not sealed like this. @param expiryMs until Redis forgets it */
  open(key: string, sealed: SealedValue, expiryMs: number): SharedValue | undefined {
    const expected = Buffer.from(this.#sealOf(key, sealed));
    const given = Buffer.from(sealed.seal);
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
    try {
      const [freshMs = 0, staleMs = 0, goneMs = 0] = sealed.life.split(' ').map(Number);
      // The time of expiry is not sealed: it may shorten a life, not lengthen it.
      const leftMs = Math.min(expiryMs, goneMs);
      const ageMs = goneMs - leftMs;
      return {
        value: decodeValue(sealed.data),
        labels: sealed.labels.split(' ').filter((label): label is Label => label !== ''),
        freshMs: freshMs - ageMs,
        staleMs: staleMs - ageMs,
        goneMs: leftMs,
      };
    } catch {
      // Properly sealed, and still not one of ours: perhaps written by another version.
      return undefined;
    }
  }

  #sealOf(key: string, { labels, life, data }: Omit<SealedValue, 'seal'>): string {
    const hash = this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
    hash.update(Buffer.from(key, 'utf16le'));
    // NUL is in none of the parts: labels and life have no control characters, JSON escapes them.
    return hash.update(`\0${labels}\0${life}\0${data}`).digest('base64url');
  }
}
