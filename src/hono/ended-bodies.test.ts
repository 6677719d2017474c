import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { endedBodies } from './ended-bodies.ts';

interface Told {
  readonly errors: unknown[];
  readonly cancelled: unknown[];
}

/** A service whose one body waits for what never comes, as a stream of events does. */
function serveWaiting(): { readonly app: Hono; readonly told: Told } {
  const told: Told = { errors: [], cancelled: [] };
  const app = new Hono();
  app.use(endedBodies({ log: { error: (fields: object) => void told.errors.push(fields) } }));
  app.get('/events', (context) => {
    const events = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
      cancel: (reason) => void told.cancelled.push(reason),
    });
    return context.body(events);
  });
  return { app, told };
}

it('a body whose reader goes away while it waits is cancelled, and no error', async () => {
  const { app, told } = serveWaiting();
  const response = await app.request('/events');
  const reader = response.body!.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 1\n\n');
  // Asked for, and waited for in vain.
  const next = reader.read();
  await reader.cancel('gone');
  expect(await next).toEqual({ done: true, value: undefined });
  // What waited settles in later turns of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual({ errors: [], cancelled: ['gone'] });
});

it('the answer to HEAD has no body, and what makes one is told', async () => {
  const { app, told } = serveWaiting();
  await app.request('/events', { method: 'HEAD' });
  expect(told.cancelled).toHaveLength(1);
});
