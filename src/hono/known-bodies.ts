/** What a response was made from, where that is known as a whole; null where it has no body. */
export type KnownBody = string | Uint8Array | null;

/** Of `@hono/node-server`, whose responses keep what they were made from until somebody asks for more. */
const DESCRIPTION = 'cache';
let property: symbol | undefined;

/**
 * The body, if it can be had without making a stream of it, which costs more than all other middleware
 * together. Undefined where it cannot: a response of another kind is not known here, and has to be asked.
 */
export function knownBody(response: Response): KnownBody | undefined {
  property ??= Object.getOwnPropertySymbols(response).find(({ description }) => description === DESCRIPTION);
  if (property === undefined) return undefined;
  const made = (response as unknown as Record<symbol, unknown>)[property];
  // Its status, its body, its headers: this is not documented, so it is checked closely.
  if (!Array.isArray(made) || made.length !== 3 || made[0] !== response.status) return undefined;
  const body: unknown = made[1];
  return body === null || typeof body === 'string' || body instanceof Uint8Array ? body : undefined;
}
