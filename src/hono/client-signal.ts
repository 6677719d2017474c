import type { Context } from 'hono';
import { nodeBindings } from './node-bindings.ts';
import { ClientGoneError } from './problem-of.ts';

/** Aborted when the client goes away before it was answered, until it is disposed of. */
export interface ClientSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Listens to the socket's end itself where there is one: the signal of the request would have a whole
 * `Request` made for it.
 */
export function clientSignal(context: Context): ClientSignal {
  const gone = new AbortController();
  const abort = (): void => gone.abort(new ClientGoneError());
  const outgoing = nodeBindings(context)?.outgoing;
  if (outgoing === undefined) {
    const { signal } = context.req.raw;
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    return { signal: gone.signal, [Symbol.dispose]: () => signal.removeEventListener('abort', abort) };
  }
  if (outgoing.destroyed) abort();
  outgoing.once('close', abort);
  return { signal: gone.signal, [Symbol.dispose]: () => void outgoing.off('close', abort) };
}
