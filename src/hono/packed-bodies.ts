import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Encoding } from './accept-encoding.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** Longer bodies are compressed each time: making their digest would hold up the event loop. */
const LONGEST_BYTES = 262_144;
/** What an entry costs beside its bytes: its key, and its place in the list. */
const ENTRY_BYTES = 200;

/**
 * Compressed bodies, for when the same one is sent again: lists that a cache keeps, pages that rarely change.
 * They are known by the digest of what was compressed, which takes a fiftieth of the time of compressing it.
 */
export class PackedBodies {
  readonly #kept: LRUCache<string, Bytes> | undefined;

  /** @param maxBytes of all together; 0 keeps none */
  constructor(maxBytes: number) {
    this.#kept = maxBytes === 0 ? undefined : new LRUCache({ maxSize: maxBytes });
  }

  /** Undefined for a body that is not kept. */
  keyOf(encoding: Encoding, body: string | Uint8Array): string | undefined {
    if (this.#kept === undefined || body.length > LONGEST_BYTES) return undefined;
    return `${encoding} ${hash('sha256', body, 'base64url')}`;
  }

  find(key: string): Bytes | undefined {
    return this.#kept?.get(key);
  }

  keep(key: string, packed: Bytes): void {
    // A copy: zlib gives a view of a buffer that is many times as long.
    this.#kept?.set(key, new Uint8Array(packed), { size: packed.byteLength + ENTRY_BYTES });
  }
}
