import type { Context } from 'hono';

/** What a response was made from, where that is there as a whole. */
export type KnownBody = string | Uint8Array;

const BODY = Symbol('body');
const REMEMBERED = Symbol('remembered');

type Marked = { [BODY]?: KnownBody };
type Make = (data: unknown, ...rest: unknown[]) => Response;
type Makers = { json: Make; text: Make; body: Make; [REMEMBERED]?: true };

/**
 * Remembers the bodies that the handler gives to `c.json()`, `c.text()` and `c.body()`. A response offers its
 * body only as a stream, and looking at that costs more than all other middleware together.
 */
export function rememberBodies(context: Context): void {
  const makers = context as unknown as Makers;
  if (makers[REMEMBERED] === true) return;
  makers[REMEMBERED] = true;
  const { text, body } = makers;
  makers.text = (data, ...rest) => noteBody(text(data, ...rest), data);
  makers.body = (data, ...rest) => noteBody(body(data, ...rest), data);
  // As Hono does it, in two steps.
  makers.json = (data, init, headers) => {
    const json = JSON.stringify(data);
    return noteBody(body(json, init, { 'Content-Type': 'application/json', ...(headers as object) }), json);
  };
}

/** @returns the response */
export function noteBody(response: Response, body: unknown): Response {
  if (typeof body === 'string' || body instanceof Uint8Array) (response as Marked)[BODY] = body;
  return response;
}

export function knownBody(response: Response): KnownBody | undefined {
  return (response as Marked)[BODY];
}
