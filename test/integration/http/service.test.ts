import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Hono } from 'hono';
import { stream, streamSSE } from 'hono/streaming';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConstraintError, getDb } from '../../../src/index.ts';
import {
  answerErrors,
  createServer,
  HttpProblem,
  queryBudget,
  readJson,
  startServer,
  transactional,
} from '../../../src/hono/index.ts';
import { compressor } from '../../../src/hono/compress.ts';
import { knownBody } from '../../../src/hono/known-bodies.ts';
import { Metrics } from '../../../src/metrics/index.ts';
import { servicesOf } from '../../../src/database/index.ts';
import { createMonitor } from '../../../src/monitor/index.ts';
import { openScratch } from '../../fixtures/scratch-database.ts';
import { serve, type Service } from './service.ts';

/** What a socket answers until the server ends it, which a request that is right has to ask for. */
async function talk(port: number, request: string): Promise<string> {
  const socket = dial(port);
  let answer = '';
  socket.on('data', (data) => (answer += data.toString('latin1')));
  socket.write(request);
  await ended(socket);
  return answer;
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}

function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

describe('an error becomes a problem (RFC 9457)', () => {
  const CANARY = 'canary-7f3a';

  test('that says what the client can do, and nothing else (B18)', async () => {
    const { db } = await openScratch(`create table secret_table (email text unique);
      insert into secret_table values ('${CANARY}')`);
    const service = await serve((app) => {
      app.get('/throws', () => {
        throw new Error(`password ${CANARY}`, { cause: new Error(CANARY) });
      });
      app.get('/constraint', async (context) =>
        context.json(await db.run('insert into secret_table values (?)', [CANARY])),
      );
      app.get('/sql', async (context) =>
        context.json(await db.all('select * from nowhere where x = ?', [CANARY])),
      );
      app.get('/slow', async (context) => {
        const forever =
          'with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n';
        return context.json(await db.value(forever, [], { timeoutMs: 20 }));
      });
      app.get('/mine', () => {
        throw new HttpProblem(404, { detail: 'There is no such job.', extensions: { job: 7 } });
      });
      app.get('/string', () => {
        // oxlint-disable-next-line typescript/only-throw-error -- what is thrown may be anything
        throw CANARY;
      });
    });
    const expected = {
      '/throws': 500,
      '/constraint': 409,
      '/sql': 500,
      '/slow': 504,
      '/mine': 404,
      '/x': 404,
    };
    for (const [path, status] of Object.entries(expected)) {
      const response = await fetch(service.url + path, { headers: { 'X-Request-Id': 'request-1' } });
      const text = await response.text();
      expect([path, response.status, response.headers.get('content-type')]).toEqual([
        path,
        status,
        'application/problem+json',
      ]);
      expect(JSON.parse(text)).toMatchObject({ type: 'about:blank', status, requestId: 'request-1' });
      expect(response.headers.get('x-request-id')).toBe('request-1');
      for (const secret of [CANARY, 'secret_table', 'select', 'SQL', 'node_modules', 'at ']) {
        expect(text, path).not.toContain(secret);
      }
    }
    expect(await (await fetch(`${service.url}/mine`)).json()).toMatchObject({
      title: 'Not Found',
      detail: 'There is no such job.',
      job: 7,
    });
    const failures = service.lines
      .filter(({ level }) => level === 'error')
      .map(({ fields }) => fields['err']);
    expect(failures.map((error) => (error as Error).constructor.name)).toEqual([
      'Error',
      'QueryExecutionError',
      'TimeoutError',
    ]);
    expect(inspect(failures.slice(1), { depth: 5 })).not.toContain(CANARY);
    expect((await fetch(`${service.url}/string`)).status).toBe(500);
  });

  test('a kind of constraint has its status, and is not the log`s business', async () => {
    const kinds = { unique: 409, 'foreign-key': 409, 'not-null': 422, check: 422 } as const;
    const service = await serve((app) => {
      app.get('/:kind', (context) => {
        throw new ConstraintError('secret', { kind: context.req.param('kind') as 'unique' });
      });
    });
    for (const [kind, status] of Object.entries(kinds)) {
      expect((await fetch(`${service.url}/${kind}`)).status, kind).toBe(status);
    }
    expect(service.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('bodies (C64)', () => {
  const echo = (app: Hono): void => {
    app.post('/json', async (context) => context.json(await readJson(context)));
    app.post('/raw', async (context) => context.text(String((await context.req.text()).length)));
  };
  const post = (
    service: Service,
    body: string | Uint8Array<ArrayBuffer> | ReadableStream,
    headers: Record<string, string> = {},
  ) =>
    fetch(`${service.url}/json`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', ...headers },
      duplex: 'half',
    });

  test('what is no JSON, nested too deep, or a trap for prototypes is 400; what is not sent as JSON 415', async () => {
    const service = await serve(echo);
    const wrong = [
      '',
      '{',
      '[1,]',
      '{"a":1}x',
      "{'a':1}",
      '[NaN]',
      '01',
      '"\t"',
      '{"a":1,}',
      '\ufeff{}',
      '[\u00a01]',
    ];
    for (const body of wrong) expect((await post(service, body)).status, JSON.stringify(body)).toBe(400);
    expect((await post(service, new Uint8Array([0x22, 0xff, 0x22]))).status).toBe(400);
    expect((await post(service, `${'['.repeat(100_000)}${']'.repeat(100_000)}`)).status).toBe(400);
    expect((await post(service, `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`)).status).toBe(400);
    for (const key of ['__proto__', '\\u005f_proto__']) {
      expect((await post(service, `{"a":{"${key}":{"admin":true}}}`)).status, key).toBe(400);
    }
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonx',
      '',
    ]) {
      expect((await post(service, '{}', { 'Content-Type': type })).status, type).toBe(415);
    }
    const right = { text: '[[[[{"\\\\"', list: [[[1]]], constructor: 1 };
    const type = 'application/vnd.api+json; charset=utf-8';
    expect(await (await post(service, JSON.stringify(right), { 'Content-Type': type })).json()).toEqual(
      right,
    );
    expect(await (await post(service, '5')).json()).toBe(5);
  });

  test('that are too long are refused: at once where they say so, at the byte too much where not', async () => {
    const service = await serve(echo, { maxBodyBytes: 1_000 });
    expect((await post(service, `"${'x'.repeat(998)}"`)).status).toBe(200);
    expect((await post(service, `"${'x'.repeat(999)}"`)).status).toBe(413);
    let sent = 0;
    const endless = new ReadableStream({
      pull(to) {
        sent += 65_536;
        to.enqueue(new Uint8Array(65_536));
      },
    });
    const status = await post(service, endless).then(
      (response) => response.status,
      () => 'cut',
    );
    expect([413, 'cut']).toContain(status);
    expect(sent).toBeLessThan(200_000_000);
    const head = 'POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n';
    expect(await talk(service.port, head)).toMatch(/^HTTP\/1\.1 413 /);
    expect((await post(service, '{}', { 'Content-Encoding': 'gzip' })).status).toBe(415);
  });

  test('requests that can be read in two ways are refused before they are served', async () => {
    const service = await serve(echo);
    const both =
      'POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    const twice = 'POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd';
    const odd = 'POST /raw HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n';
    const unnamed = 'GET /raw HTTP/1.1\r\n\r\n';
    const large = `GET /raw HTTP/1.1\r\nHost: x\r\nX-Pad: ${'x'.repeat(20_000)}\r\n\r\n`;
    for (const request of [both, twice, odd, unnamed]) {
      expect(await talk(service.port, request), request).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(await talk(service.port, large)).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('and heads that come a byte at a time are cut off', async () => {
    const service = await serve(echo, {}, { headersTimeoutMs: 100, requestTimeoutMs: 200 });
    const slowHead = dial(service.port);
    const slowBody = dial(service.port);
    slowHead.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    slowBody.write('POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n');
    const dripping = setInterval(() => [slowHead, slowBody].map((socket) => socket.write('x')), 20);
    const ends = Promise.all([slowHead, slowBody].map(ended));
    await Promise.race([ends, sleep(20_000).then(() => Promise.reject(new Error('still open')))]);
    clearInterval(dripping);
    // More than once: a machine that stands still cuts it off too.
    await expect.poll(async () => (await fetch(`${service.url}/health/live`)).status).toBe(200);
  });
});

describe('bodies of answers', () => {
  test('are measured without being read: small ones stay as they are, large ones shrink (M2)', async () => {
    const [small, large] = [{ a: 1 }, { text: 'compressible '.repeat(500) }];
    const seen: unknown[] = [];
    const service = await serve((app) => {
      app.use(async (context, next) => {
        await next();
        // What `compress` goes by with this version of the server; without it it is right, and slower.
        seen.push(knownBody(context.res));
      });
      app.get('/small', (context) => context.json(small));
      app.get('/large', (context) => context.json(large));
      app.get('/bytes', (context) => context.body(new TextEncoder().encode(JSON.stringify(large))));
      app.get('/none', (context) => context.body(null, 204));
    });
    const headers = { 'Accept-Encoding': 'gzip' };
    const get = (path: string) => fetch(service.url + path, { headers });
    const [first, second] = [await get('/small'), await get('/large')];
    expect(['content-encoding', 'vary', 'content-length'].map((name) => first.headers.get(name))).toEqual([
      null,
      null,
      '7',
    ]);
    expect(['content-encoding', 'vary'].map((name) => second.headers.get(name))).toEqual([
      'gzip',
      'Accept-Encoding',
    ]);
    expect([await first.json(), await second.json()]).toEqual([small, large]);
    expect([(await get('/bytes')).status, (await get('/none')).status]).toEqual([200, 204]);
    expect(seen).toEqual([JSON.stringify(small), JSON.stringify(large), expect.any(Uint8Array), null]);
  });

  test('are not compressed again where the same one was sent before, and arrive the same (M2)', async () => {
    const [pack, packAlways] = [compressor(), compressor({ keptBytes: 0 })];
    const waited: boolean[] = [];
    const rows = (query: string | undefined) => ({ text: `compressible ${query} `.repeat(500) });
    const service = await serve(
      (app) => {
        app.get('/', async (context) => {
          const way = context.req.query('always') === undefined ? pack : packAlways;
          const packed = way(context.json(rows(context.req.query('of'))), 'GET', 'gzip');
          waited.push(packed instanceof Promise);
          return packed;
        });
      },
      { compress: false },
    );
    const get = async (query: string) => {
      const response = await fetch(`${service.url}/?${query}`);
      return [response.headers.get('content-encoding'), response.headers.get('vary'), await response.json()];
    };
    for (const of of ['a', 'a', 'b', 'a']) {
      expect(await get(`of=${of}`)).toEqual(['gzip', 'Accept-Encoding', rows(of)]);
    }
    expect(waited).toEqual([true, false, true, false]);
    for (let time = 0; time < 2; time += 1) await get('of=a&always');
    expect(waited.slice(4)).toEqual([true, true]);
  });

  test('one that fails while it is streamed is cut off, and its error is in the log alone', async () => {
    const service = await serve((app) => {
      app.get('/', () => {
        let count = 0;
        const body = new ReadableStream({
          async pull(to) {
            await sleep(5);
            if (count++ < 3) to.enqueue(new TextEncoder().encode('line\n'));
            else to.error(new Error('secret of the database'));
          },
        });
        return new Response(body, { headers: { 'Content-Type': 'text/plain' } });
      });
    });
    const request = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const answer = await talk(service.port, request);
    expect(answer).toContain('line');
    expect(answer).not.toContain('secret');
    expect(answer.endsWith('0\r\n\r\n')).toBe(false);
    await expect(fetch(service.url).then((response) => response.text())).rejects.toThrow('terminated');
    const failures = () => service.lines.filter(({ message }) => message === 'a body failed');
    await expect.poll(failures).toHaveLength(2);
  });

  test('one that a HEAD does not read, or a client leaves, is told to stop', async () => {
    let stopped = 0;
    const service = await serve((app) => {
      app.get('/', () => {
        const body = new ReadableStream({
          async pull(to) {
            await sleep(1);
            to.enqueue(new Uint8Array(10));
          },
          cancel: () => void (stopped += 1),
        });
        return new Response(body);
      });
    });
    expect((await fetch(service.url, { method: 'HEAD' })).status).toBe(200);
    await expect.poll(() => stopped).toBe(1);
    const leaving = new AbortController();
    await fetch(service.url, { signal: leaving.signal });
    leaving.abort();
    await expect.poll(() => stopped).toBe(2);
  });

  test('event streams pass at once, uncompressed', async () => {
    const service = await serve((app) => {
      app.get('/', (context) =>
        streamSSE(context, async (events) => {
          await events.writeSSE({ data: 'first' });
          await sleep(2_000);
        }),
      );
    });
    const response = await fetch(service.url, { headers: { 'Accept-Encoding': 'gzip' } });
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toBe('data: first\n\n');
    await reader.cancel();
  });

  test('rows can be streamed under the stack: compressed, in bounded memory', async () => {
    const { db } = await openScratch(`create table n (i int);
      insert into n with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000) select i from n`);
    const service = await serve((app) => {
      app.get('/', (context) => {
        context.header('Content-Type', 'application/x-ndjson');
        return stream(context, async (body) => {
          for await (const row of db.stream('select i from n')) await body.write(`${JSON.stringify(row)}\n`);
        });
      });
    });
    const response = await fetch(service.url, { headers: { 'Accept-Encoding': 'gzip' } });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect((await response.text()).trim().split('\n')).toHaveLength(20_000);
  });
});

describe('the stack of createServer', () => {
  test('guards every route, and leaves health and the monitor to themselves', async () => {
    const asked: string[] = [];
    const service = await serve((app) => void app.get('/open/x', (context) => context.text('open')), {
      hosts: ['127.0.0.1'],
      auth: { issuer: 'i', audience: 'a', algorithms: ['HS256'], secret: 's'.repeat(32) },
      publicPaths: ['/open/*'],
      securityHeaders: { 'X-Frame-Options': 'SAMEORIGIN', 'Strict-Transport-Security': false },
      monitor: {
        handle: (request) => {
          asked.push(new URL(request.url).pathname);
          return new Response('page', { headers: { 'Content-Security-Policy': "default-src 'self'" } });
        },
      },
    });
    const statusOf = async (path: string) => (await fetch(service.url + path)).status;
    const tail = (host: string) => `HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    expect(await Promise.all(['/open/x', '/open', '/secret', '/'].map(statusOf))).toEqual([
      200, 401, 401, 401,
    ]);
    expect(await Promise.all(['/monitoring', '/monitoring/cache'].map(statusOf))).toEqual([200, 200]);
    expect(asked.toSorted()).toEqual(['/monitoring', '/monitoring/cache']);
    const { headers } = await fetch(`${service.url}/monitoring`);
    expect(headers.get('content-security-policy')).toBe("default-src 'self'");
    expect([headers.get('x-frame-options'), headers.get('strict-transport-security')]).toEqual([
      'SAMEORIGIN',
      null,
    ]);
    expect(await talk(service.port, `GET /open/x ${tail('evil')}`)).toContain(' 400 ');
    expect(await talk(service.port, `GET /health/live ${tail('10.1.2.3')}`)).toContain(' 200 ');
  });

  test('tells the monitor who asks: an open one is for this machine alone (B18)', async () => {
    const { db } = await openScratch('create table t (i int)');
    const monitor = createMonitor({ databases: [db], open: true });
    onTestFinished(() => monitor.close());
    const service = await serve(() => undefined, { monitor, trustedProxies: ['127.0.0.1'] });
    const from = async (client: Record<string, string>): Promise<number> =>
      (await fetch(`${service.url}/monitoring/pool`, { headers: client })).status;
    expect(await from({})).toBe(200);
    expect(await from({ 'X-Forwarded-For': '192.0.2.1' })).toBe(403);
  });

  test('mounts the monitor, which stops with the service (M7)', async () => {
    const { db } = await openScratch('create table t (i int)');
    const metrics = new Metrics();
    const monitor = createMonitor({
      databases: [db],
      metrics,
      token: 'a token for the monitor',
      basePath: '/watch',
    });
    onTestFinished(() => {
      monitor.close();
      metrics.close();
    });
    const service = await serve((app) => void app.get('/x', (context) => context.json({})), {
      monitor,
      metrics,
    });
    const get = (path: string, token = 'a token for the monitor') =>
      fetch(service.url + path, { headers: { Authorization: `Bearer ${token}` } });
    expect((await get('/watch', 'wrong')).status).toBe(401);
    await get('/x');
    const figures = await get('/watch/performance');
    expect(figures.headers.get('cache-control')).toContain('no-store');
    expect(await figures.text()).toContain('GET /x');
    const page = await get('/watch');
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-security-policy')).not.toBe(
      "default-src 'none'; frame-ancestors 'none'",
    );
    const live = await get('/watch/events');
    expect([live.status, live.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('event-stream'),
    ]);
    const reading = live.text();
    const startedAt = performance.now();
    await service.close();
    expect(await reading).toContain('data: ');
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('writes a line for each request: its route, never its query (S10, B18)', async () => {
    const service = await serve((app) => void app.get('/users/:id', (context) => context.json({})));
    await fetch(`${service.url}/users/ada?token=secret`);
    await fetch(`${service.url}/nowhere?token=secret`);
    const requests = service.lines.filter(({ message }) => message === 'request');
    expect(
      requests.map(({ level, fields }) => [level, fields['route'], fields['status'], fields['client']]),
    ).toEqual([
      ['info', 'GET /users/:id', 200, '127.0.0.1'],
      ['info', 'GET /*', 404, '127.0.0.1'],
    ]);
    expect(JSON.stringify(service.lines)).not.toMatch(/secret|ada/);
  });

  test('counts routes, and holds them to their budgets (M6, P8)', async () => {
    const { db } = await openScratch('create table t (i int)');
    const metrics = new Metrics();
    onTestFinished(() => metrics.close());
    metrics.watch(db);
    const over = new Set<string>();
    metrics.on('route:over-budget', (event) => void over.add(event.route));
    const ask = async (times: number) => {
      for (let count = 0; count < times; count += 1) await db.value('select 1');
    };
    const service = await serve(
      (app) => {
        app.get('/kept/:n', queryBudget({ queries: 2, mode: 'throw' }), async (context) => {
          await ask(Number(context.req.param('n')));
          return context.json({});
        });
        app.get('/told/:n', queryBudget({ queries: 2, mode: 'event' }), async (context) => {
          await ask(Number(context.req.param('n')));
          return context.json({});
        });
      },
      { metrics },
    );
    const statuses = await Promise.all(
      ['/kept/2', '/kept/3', '/told/3', '/nowhere'].map(
        async (path) => (await fetch(service.url + path)).status,
      ),
    );
    expect(statuses).toEqual([200, 500, 200, 404]);
    expect(over).toEqual(new Set(['GET /kept/:n', 'GET /told/:n']));
    const routes = metrics.snapshot().routes.map(({ route, count, queries }) => [route, count, queries]);
    expect(new Set(routes)).toEqual(
      new Set([
        ['GET /*', 1, 0],
        ['GET /kept/:n', 2, 5],
        ['GET /told/:n', 1, 3],
      ]),
    );
    const lonely = new Hono();
    lonely.onError(answerErrors());
    lonely.get('/', queryBudget({ queries: 1 }), (context) => context.json({}));
    expect((await lonely.request('/')).status).toBe(500);
  });
});

describe('startServer', () => {
  test('is ready while its databases answer, and not any more when it stops (P1, S8)', async () => {
    const { db } = await openScratch('create table t (i int)', { name: 'ready' });
    const listening: string[] = [];
    const [entered, closing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const service = await serve(
      (app) => {
        app.post('/', transactional({ database: 'ready' }), async (context) => {
          entered.resolve();
          await closing.promise;
          await getDb('ready').run('insert into t values (1)');
          return context.json({}, 201);
        });
      },
      { databases: [db] },
      {
        closeables: [() => void listening.push(String(service.server.listening))],
        shutdown: { signals: false, delayMs: 0 },
      },
    );
    const ready = await fetch(`${service.url}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'up', databases: { ready: 'up' } }]);
    const writing = fetch(service.url, { method: 'POST' });
    await entered.promise;
    const accepted = once(service.server, 'connection') as Promise<[Socket]>;
    const stopping = dial(service.port);
    let answer = '';
    stopping.on('data', (data) => (answer += data.toString()));
    const head = 'GET /health/ready HTTP/1.1\r\nHost: x\r\n';
    stopping.write(head);
    const [served] = await accepted;
    // A connection that has not said anything yet would be closed as an idle one.
    await expect.poll(() => served.bytesRead).toBe(head.length);
    const closed = service.close();
    stopping.write('\r\n');
    await expect.poll(() => answer).toMatch(/503 Service Unavailable[^]*"stopping"/);
    closing.resolve();
    expect((await writing).status).toBe(201);
    await closed;
    expect(listening).toEqual(['false']);
    await expect(db.value('select 1')).rejects.toMatchObject({ code: 'ERR_MILLPOND_CLOSED' });
  });

  test('says that a database is down, and not why', async () => {
    const { db } = await openScratch('create table t (i int)');
    const service = await serve(() => undefined, { databases: [db] });
    await db.close();
    const response = await fetch(`${service.url}/health/ready`);
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: 'down', databases: { unnamed: 'down' } },
    ]);
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
  });

  test('a database that answers, but waits for its migrations, is not ready (P1, S8)', async () => {
    const { db } = await openScratch('create table t (i int)', { name: 'behind' });
    const service = await serve(() => undefined, { databases: [db] });
    servicesOf(db).readiness.require('migrations', () => 'Two migrations are pending.');
    const response = await fetch(`${service.url}/health/ready`);
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: 'down', databases: { behind: 'down' } },
    ]);
  });

  test('rejects where the port is taken or the environment is wrong, and leaves no listener', async () => {
    const before = process.listenerCount('SIGTERM');
    const app = createServer({ environment: {}, log: 'silent' });
    await using first = await startServer(app, { port: 0, environment: {} });
    expect(process.listenerCount('SIGTERM')).toBe(before + 1);
    await expect(startServer(app, { port: first.port, environment: {} })).rejects.toThrow('EADDRINUSE');
    await expect(startServer(app, { environment: { PORT: '70000' } })).rejects.toThrow(/PORT/);
    await expect(startServer(app, { prot: 1 } as object)).rejects.toThrow(/Did you mean "port"/);
    const slowHead = startServer(app, { requestTimeoutMs: 5_000, headersTimeoutMs: 5_001 });
    await expect(slowHead).rejects.toThrow(/startServer\.headersTimeoutMs.*requestTimeoutMs, which is 5000/);
    await using short = await startServer(app, { port: 0, requestTimeoutMs: 5_000, shutdown: false });
    expect(short.server.headersTimeout).toBe(5_000);
    await first.close();
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
