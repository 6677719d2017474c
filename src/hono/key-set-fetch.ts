import { MillpondError } from '../errors/index.ts';

/** The keys with which tokens are checked cannot be had: the service's trouble, not the client's. */
export class KeySetError extends MillpondError {
  readonly code = 'ERR_MILLPOND_KEY_SET';

  constructor(message: string, cause?: unknown) {
    super(message, { cause, retryable: true });
  }
}

type Fetch = (
  url: string,
  init: { readonly signal: AbortSignal; readonly headers: Headers },
) => Promise<Response>;

export interface KeySetFetchOptions {
  readonly fetch?: Fetch | undefined;
  readonly now?: (() => number) | undefined;
}

const LONGEST_BYTES = 262_144;
/** The wait after a failure, and so between any two attempts while it lasts. */
const LEFT_ALONE_MS = 5_000;
/** How long the last keys are used while no newer ones can be fetched. */
const STALE_MS = 3_600_000;
const OK = 200;

/**
 * Fetches a key set for `jose`, which caches it and fetches once for all who wait: refuses what is too long,
 * leaves a server alone that failed, and meanwhile gives the last set again.
 */
export class KeySetFetch {
  readonly #fetch: Fetch;
  readonly #now: () => number;
  #last: { readonly text: string; readonly atMs: number } | undefined;
  #failure: { readonly error: KeySetError; readonly atMs: number } | undefined;

  constructor({
    fetch: given = (url, init) => fetch(url, { ...init, redirect: 'error' }),
    now = Date.now,
  }: KeySetFetchOptions = {}) {
    this.#fetch = given;
    this.#now = now;
  }

  async fetch(url: string, init: Parameters<Fetch>[1]): Promise<Response> {
    if (this.#failure !== undefined && this.#now() < this.#failure.atMs + LEFT_ALONE_MS) return this.#spare();
    try {
      const text = await this.#load(url, init);
      this.#last = { text, atMs: this.#now() };
      this.#failure = undefined;
    } catch (cause) {
      const error = new KeySetError('The key set for tokens could not be fetched.', cause);
      this.#failure = { error, atMs: this.#now() };
      return this.#spare();
    }
    return new Response(this.#last.text);
  }

  #spare(): Response {
    if (this.#last !== undefined && this.#now() < this.#last.atMs + STALE_MS)
      return new Response(this.#last.text);
    throw this.#failure!.error;
  }

  async #load(url: string, init: Parameters<Fetch>[1]): Promise<string> {
    const response = await this.#fetch(url, init);
    if (response.status !== OK || response.body === null) {
      await response.body?.cancel();
      throw new Error(`The answer has the status ${response.status}.`);
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > LONGEST_BYTES) throw new Error(`The answer is longer than ${LONGEST_BYTES} bytes.`);
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString();
    const keys: unknown = (JSON.parse(text) as { keys?: unknown } | null)?.keys;
    if (!Array.isArray(keys)) throw new Error('The answer is not a key set.');
    return text;
  }
}
