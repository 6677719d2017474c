import { AsyncLocalStorage } from 'node:async_hooks';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { createServer } from './create-server.ts';
import { readYourWrites } from './read-your-writes.ts';

/** A database with replicas, as far as it matters: a scope for each request, with what it wrote. */
class FakeReplicated {
  readonly afters: (string | undefined)[] = [];
  readonly #scope = new AsyncLocalStorage<{ written: string | undefined }>();

  write(place: string): void {
    this.#scope.getStore()!.written = place;
  }

  readYourWrites<T>(work: () => T, { after }: { readonly after?: string | undefined } = {}): T {
    this.afters.push(after);
    return this.#scope.run({ written: after }, work);
  }

  async lastWrite(): Promise<string | undefined> {
    return this.#scope.getStore()?.written;
  }
}

function appOver(database: FakeReplicated, header?: string): Hono {
  const app = new Hono();
  app.use(readYourWrites({ database, header }));
  app.get('/', (context) => context.text('read'));
  app.post('/', async (context) => {
    await Promise.resolve();
    database.write('16/B374D848');
    return context.text('written');
  });
  return app;
}

describe('reading what one wrote, from replicas', () => {
  test('gives a client a token of its write, and reads after the one it brings', async () => {
    const database = new FakeReplicated();
    const app = appOver(database);
    const written = await app.request('/', { method: 'POST' });
    const token = written.headers.get('x-read-after')!;
    expect(token).toBe('16/B374D848');
    await app.request('/', { headers: { 'X-Read-After': token } });
    expect(database.afters).toEqual([undefined, token]);
  });

  test('says nothing where nothing was written', async () => {
    expect((await appOver(new FakeReplicated()).request('/')).headers.get('x-read-after')).toBeNull();
  });

  test.each(['', 'x', '1/2/3', '16/B374D848; drop', '123456789/1', '-1/0'])(
    'passes over %j, which is no token',
    async (token) => {
      const database = new FakeReplicated();
      const response = await appOver(database).request('/', { headers: { 'X-Read-After': token } });
      expect([response.status, database.afters]).toEqual([200, [undefined]]);
    },
  );

  test('by a header of another name', async () => {
    const response = await appOver(new FakeReplicated(), 'X-Place').request('/', { method: 'POST' });
    expect(response.headers.get('x-place')).toBe('16/B374D848');
  });

  test('around every route, where createServer is told so', async () => {
    const database = new FakeReplicated();
    const app = createServer({ environment: {}, log: 'silent', readYourWrites: { database } });
    app.post('/', (context) => {
      database.write('1/2');
      return context.text('written');
    });
    expect((await app.request('/', { method: 'POST' })).headers.get('x-read-after')).toBe('1/2');
  });

  test('a wrong name of a header is refused when it is made', () => {
    expect(() => readYourWrites({ header: 'no header' })).toThrow('readYourWrites.header');
  });
});
