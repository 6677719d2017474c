import { createServer as createHttpServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createAdaptorServer } from '@hono/node-server';
import { Hono, type ExecutionContext } from 'hono';
import { stream } from 'hono/streaming';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createServer, HttpProblem, userOf } from '../../../src/hono/index.ts';
import { Metrics } from '../../../src/metrics/index.ts';
import { openScratch } from '../../fixtures/scratch-database.ts';

type Fetch = Hono['fetch'];
type Line = readonly [level: string, fields: Record<string, unknown>];

interface Lane {
  readonly port: number;
  readonly lines: Line[];
  readonly metrics: Metrics;
}

const ROWS = Array.from({ length: 100 }, (_, id) => ({ id, name: `user ${id}` }));

/** No text: each value of a byte comes in it. */
const BYTES = Uint8Array.from({ length: 70_000 }, (_, at) => at & 255);

function applicationWith(lines: Line[], metrics: Metrics): Hono {
  const write = (level: string) => (fields: object) => void lines.push([level, { ...fields }]);
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const app = createServer({
    environment: {},
    log,
    logPaths: true,
    metrics,
    hosts: ['127.0.0.1', 'api.example.com'],
    cors: { origins: ['https://app.example.com'], credentials: true, exposeHeaders: ['X-Total'] },
    rateLimit: { limit: 1_000, windowMs: 3_600_000, name: 'api' },
    maxBodyBytes: 2_000,
  });
  app.get('/small', (c) => c.json({ id: c.get('requestId' as never) }));
  app.get('/list', (c) => c.json(ROWS));
  app.get('/tagged', (c) => c.json(ROWS, 200, { ETag: '"1"' }));
  app.get('/bytes/:count', (c) => c.body(BYTES.slice(0, Number(c.req.param('count')))));
  app.get('/part', (c) => c.body(BYTES.subarray(100, 400)));
  app.get('/late', async (c) =>
    c.text(await Promise.resolve('late'), 201, { 'X-Total': '1', Vary: 'Cookie' }),
  );
  app.get('/own', () => new Response('own', { headers: { 'X-Frame-Options': 'SAMEORIGIN', ETag: '"1"' } }));
  app.get('/cookies', (c) => {
    c.header('Set-Cookie', 'a=1', { append: true });
    c.header('Set-Cookie', 'b=2', { append: true });
    return c.body(null, 204);
  });
  app.get('/origin', (c) => c.text('x', 200, { 'Access-Control-Allow-Origin': '*', Vary: 'Origin' }));
  app.get('/stream', (c) => stream(c, async (body) => void (await body.write('a'.repeat(3_000)))));
  app.get('/wrong', () => {
    throw new Error('a secret');
  });
  app.get('/problem', () => {
    throw new HttpProblem(409, { detail: 'There is one.' });
  });
  app.get(
    '/between/:id',
    async (c, next) => (c.req.param('id') === '0' ? c.text('no', 403) : next()),
    (c) => c.json(userOf(c) ?? null),
  );
  app.get('/again', async (c) => c.body(await (await app.request('/small')).text()));
  app.all('/echo', async (c) => c.text(`${c.req.method} ${(await c.req.text()).length}`));
  app.route(
    '/under',
    new Hono().get('/it', (c) => c.text('under')),
  );
  return app;
}

async function open(lane: (app: Hono) => Fetch): Promise<Lane> {
  const [lines, metrics]: [Line[], Metrics] = [[], new Metrics()];
  const app = applicationWith(lines, metrics);
  const server = createAdaptorServer({ fetch: lane(app), createServer: createHttpServer });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    lines,
    metrics,
    [Symbol.dispose]: () => {
      server.close();
      metrics.close();
    },
  } as Lane & Disposable;
}

interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function ask(port: number, { path, method = 'GET', headers = {}, body }: Asked): Promise<unknown> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', path, method, headers, agent: false }, resolve);
    request.on('error', reject);
    request.end(body);
  });
  const { date: _date, 'x-request-id': id, ...others } = response.headers;
  const given = headers['X-Request-Id'];
  return {
    status: response.statusCode,
    id: given ?? /^[\da-f-]{36}$/.test(String(id)),
    // How long until the window moves on differs by the moment.
    headers: { ...others, ratelimit: others['ratelimit']?.toString().replace(/t=\d+/, 't=') },
    body: (await text(response.setEncoding('latin1'))).replaceAll(/[\da-f-]{36}/g, '(id)'),
  };
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

const PATHS = ['/small', '/list', '/late', '/own', '/cookies', '/origin', '/stream', '/wrong', '/problem'];
const MORE = [
  '/between/0',
  '/between/1',
  '/again',
  '/under/it',
  '/nothing',
  '/small?a=1',
  '/echo',
  '/health/live',
  '/tagged',
  '/bytes/0',
  '/bytes/300',
  '/bytes/70000',
  '/part',
];
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  { Origin: 'https://app.example.com', 'Accept-Encoding': 'br' },
  { Origin: 'https://evil.test', 'X-Request-Id': 'given-1', 'Accept-Encoding': 'gzip' },
  { Host: 'evil.test' },
  { Host: 'api.example.com:8080', 'X-Request-Id': 'not a word' },
];
const BODIES: readonly Asked[] = [
  { path: '/echo', method: 'POST', body: 'short' },
  { path: '/echo', method: 'PUT', body: 'x'.repeat(2_001) },
  { path: '/echo', method: 'PATCH', headers: { 'Transfer-Encoding': 'chunked' }, body: 'x'.repeat(2_001) },
  { path: '/echo', method: 'POST', headers: { 'Content-Encoding': 'gzip' }, body: 'x' },
  { path: '/echo', method: 'DELETE' },
  { path: '/small', method: 'POST' },
  { path: '/small', method: 'HEAD' },
  {
    path: '/small',
    method: 'OPTIONS',
    headers: { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'PUT' },
  },
];

describe('the fast lane of createServer', () => {
  let fast: Lane & Partial<Disposable>;
  let whole: Lane & Partial<Disposable>;

  beforeAll(async () => {
    fast = await open((app) => app.fetch);
    // Node gives no execution context: a request that has one goes through the middleware.
    whole = await open((app) => (request, env) => app.fetch(request, env, {} as ExecutionContext));
    return () => [fast, whole].forEach((lane) => lane[Symbol.dispose]?.());
  });

  const asked: readonly Asked[] = [
    ...[...PATHS, ...MORE].flatMap((path) => HEADERS.map((headers) => ({ path, headers }))),
    ...BODIES,
  ];

  test('answers, logs and counts as the middleware does, to the byte (C63, C64, C65, C66, C67)', async () => {
    for (const one of asked) {
      expect(await ask(fast.port, one), JSON.stringify(one)).toEqual(await ask(whole.port, one));
    }
    const sayings = (lines: readonly Line[]) =>
      lines.map(([level, { durationMs: _ms, requestId: _id, err, ...fields }]) => [
        level,
        String(err),
        fields,
      ]);
    expect(sayings(fast.lines)).toEqual(sayings(whole.lines));
    const routes = ({ metrics }: Lane) =>
      metrics.snapshot().routes.map(({ route, count, errors }) => ({ route, count, errors }));
    expect(routes(fast)).toEqual(routes(whole));
    expect(routes(fast).length).toBeGreaterThan(10);
  });

  test('compresses what has one header, and what has more (M2)', async () => {
    const json = { 'content-type': 'application/json' };
    const packed = {
      ...json,
      'content-encoding': 'br',
      vary: expect.stringContaining('Accept-Encoding') as string,
    };
    const listed = (path: string, accepted: string) =>
      ask(fast.port, { path, headers: { 'Accept-Encoding': accepted } });
    expect(await listed('/list', 'br')).toMatchObject({ headers: packed });
    expect(await listed('/list', 'none')).toMatchObject({ headers: { ...json, vary: packed.vary } });
    expect(await listed('/tagged', 'br')).toMatchObject({ headers: { ...packed, etag: 'W/"1"' } });
  });

  test('sends bytes as they are', async () => {
    const body = latin1Of(BYTES.subarray(100, 400));
    expect(await ask(fast.port, { path: '/part' })).toMatchObject({
      body,
      headers: { 'content-length': '300' },
    });
  });

  test('does not give the place of one request to another that its handler makes', async () => {
    const { lines } = fast;
    lines.length = 0;
    await ask(fast.port, { path: '/again' });
    // The inner request has no socket, and goes through the middleware.
    expect(lines.map(([, { route, client }]) => [route, client])).toEqual([
      ['GET /small', undefined],
      ['GET /again', '127.0.0.1'],
    ]);
  });

  test.each(['fast', 'whole'])('names the route of a query in a loop, in the %s lane (P8)', async (lane) => {
    const { db } = await openScratch('create table t (i int)');
    const metrics = new Metrics({ nPlusOneThreshold: 3 });
    onTestFinished(() => metrics.close());
    metrics.watch(db);
    const app = createServer({ environment: {}, log: 'silent', metrics });
    app.get('/loop/:id', async (c) => {
      for (let i = 0; i < 4; i += 1) await db.get('select * from t where i = ?', [i]);
      return c.text('looped');
    });
    const context = lane === 'fast' ? undefined : ({} as ExecutionContext);
    const server = createAdaptorServer({ fetch: (request, env) => app.fetch(request, env, context) });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    await ask((server.address() as AddressInfo).port, { path: '/loop/1' });
    expect(metrics.snapshot().suspects).toMatchObject([{ route: 'GET /loop/:id', repeats: 3 }]);
  });

  test('a handler that throws what is no error counts as failed, and ends alone', async () => {
    const metrics = new Metrics();
    onTestFinished(() => metrics.close());
    const app = createServer({ environment: {}, log: 'silent', metrics });
    app.get('/', () => {
      // oxlint-disable-next-line typescript/only-throw-error -- what an application may do
      throw 'a text';
    });
    app.get('/later', async (): Promise<Response> => {
      await Promise.resolve();
      // oxlint-disable-next-line typescript/only-throw-error -- the same
      throw 'a text';
    });
    const server = createAdaptorServer({ fetch: app.fetch });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    for (const path of ['/', '/later']) expect(await ask(port, { path })).toMatchObject({ status: 500 });
    expect(metrics.snapshot().routes).toMatchObject([
      { route: 'GET /', count: 1, errors: 1 },
      { route: 'GET /later', count: 1, errors: 1 },
    ]);
  });
});
