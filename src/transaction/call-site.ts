import { usersFrames } from '../stack/index.ts';

/**
 * Where a call was made. Capturing costs a few microseconds; the text is made when it is read for the first
 * time.
 */
export interface CallSite {
  readonly stack?: string;
}

/** A captured call site, or the text of one that was seen before. */
export type Located = CallSite | string;

const MAX_TEXTS = 1_000;

export function captureCallSite(): CallSite {
  const site: CallSite = {};
  Error.captureStackTrace(site, captureCallSite);
  return site;
}

/** The frames of a call site, one a line, without the headline. */
export function formatStack(site: CallSite): string {
  return (site.stack ?? '').split('\n').slice(1).join('\n');
}

/** The place in the caller's code, for messages: `checkOut (/app/src/orders.ts:12:9)`. */
export function describeCallSite(site: CallSite): string {
  return usersFrames(formatStack(site))[0] ?? 'an unknown place';
}

/**
 * Where statements are called from, without a capture for each: a text that was seen twice keeps the place it
 * was seen at, and is captured again only after one of its calls was found not to be awaited, when exactness
 * begins to matter.
 */
export class StatementSites {
  /**
   * `undefined`: seen once. Making the text of a stack is expensive, and most generated statements never come
   * again.
   */
  readonly #known = new Map<string, string | undefined>();
  readonly #suspects = new Set<string>();

  locate(text: string): Located {
    const known = this.#known.get(text);
    if (known !== undefined && !this.#suspects.has(text)) return known;
    const site = captureCallSite();
    // Kept as text: a captured stack holds on to the objects of its frames.
    this.#known.set(text, this.#known.has(text) ? describeCallSite(site) : undefined);
    if (this.#known.size > MAX_TEXTS) this.#forgetOldest();
    return site;
  }

  /** Names the place in words, exact or not, and captures each later call of `text`. */
  explain(text: string, located: Located): string {
    if (this.#known.has(text)) this.#suspects.add(text);
    if (typeof located !== 'string') return `called at ${describeCallSite(located)}`;
    return `of a text that was called at ${located}`;
  }

  #forgetOldest(): void {
    const oldest = this.#known.keys().next().value!;
    this.#known.delete(oldest);
    this.#suspects.delete(oldest);
  }
}
