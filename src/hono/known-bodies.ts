/** What a response was made from, where that is known as a whole; null where it has no body. */
export type KnownBody = string | Uint8Array | null;

/** What a response was made from. */
interface Made {
  readonly body: KnownBody;
  readonly headers: unknown;
}

/** Of `@hono/node-server`, whose responses keep what they were made from until somebody asks for more. */
const DESCRIPTION = 'cache';
let property: symbol | undefined;

/**
 * The body, if it can be had without making a stream of it, which costs more than all other middleware
 * together. Undefined where it cannot: a response of another kind is not known here, and has to be asked.
 */
export function knownBody(response: Response): KnownBody | undefined {
  return madeFrom(response)?.body;
}

/**
 * The content type of a response that has a known body and no other header; undefined for all others. Nobody
 * has looked at its headers yet, and to do so costs more than to write them.
 */
export function onlyContentType(response: Response): string | undefined {
  const headers = madeFrom(response)?.headers;
  if (
    typeof headers !== 'object' ||
    headers === null ||
    Object.getPrototypeOf(headers) !== Object.prototype
  ) {
    return undefined;
  }
  let type: string | undefined;
  for (const name in headers) {
    const value = (headers as Record<string, unknown>)[name];
    if (name.toLowerCase() !== 'content-type' || typeof value !== 'string') return undefined;
    type = value;
  }
  return type;
}

function madeFrom(response: Response): Made | undefined {
  property ??= Object.getOwnPropertySymbols(response).find(({ description }) => description === DESCRIPTION);
  if (property === undefined) return undefined;
  const made = (response as unknown as Record<symbol, unknown>)[property];
  // Its status, its body, its headers: this is not documented, so it is checked closely.
  if (!Array.isArray(made) || made.length !== 3 || made[0] !== response.status) return undefined;
  const [, body, headers] = made as readonly unknown[];
  const isKnown = body === null || typeof body === 'string' || body instanceof Uint8Array;
  return isKnown ? { body, headers } : undefined;
}
