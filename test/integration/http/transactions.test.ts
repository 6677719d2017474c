import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Hono, type Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { stream } from 'hono/streaming';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  onCommit,
  onRollback,
  withoutTransaction,
  type Database,
  type TransactionOptions,
} from '../../../src/index.ts';
import { ResponseRollbackError, startServer, transactional } from '../../../src/hono/index.ts';
import { randomFrom, scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { expectAtRest, openScratch } from '../../fixtures/scratch-database.ts';
import { serve } from './service.ts';

const SCHEMA = 'create table row (id integer primary key)';

/** Every request writes twice, with a pause between: half of it would be seen. */
async function write(db: Database, context: Context, pauseMs = 1): Promise<number> {
  const id = Number(context.req.query('id'));
  await db.run('insert into row values (?)', [id]);
  await sleep(pauseMs);
  await db.run('insert into row values (?)', [-id]);
  return id;
}

async function idsIn(db: Database): Promise<Set<number>> {
  return new Set((await db.arrays('select id from row')).flat() as number[]);
}

describe('one transaction per request (P20, C63)', () => {
  const OUTCOMES: Record<string, (context: Context, db: Database) => unknown> = {
    '/created': (context) => context.json({}, 201),
    '/seen': (context) => context.redirect('/created', 303),
    '/empty': (context) => context.body(null, 204),
    '/unprocessable': (context) => context.json({}, 422),
    '/broken': (context) => context.text('broken', 500),
    '/throws': () => {
      throw new Error('after the write');
    },
    '/exception': () => {
      throw new HTTPException(409, { message: 'taken' });
    },
    '/constraint': (_context, db) => db.run('insert into row select id from row'),
    '/late': (_context, db) => {
      // Not awaited: it would run beside the commit.
      void db.run('insert into row select max(id) + 1 from row').catch(() => undefined);
      return new Response(null, { status: 201 });
    },
    '/timeout': async (context) => {
      await sleep(80);
      return context.json({}, 201);
    },
    '/late-throw': async () => {
      await sleep(80);
      throw new Error('after the limit');
    },
    '/stream': (context) => stream(context, async (body) => void (await body.write('x'.repeat(5_000)))),
  };

  test(
    'commits iff the handler answered below 400, for requests and clients of every kind',
    async () => {
      const { db } = await openScratch(SCHEMA);
      const service = await serve((app) => {
        for (const [path, outcome] of Object.entries(OUTCOMES)) {
          app.post(path, transactional({ database: db, timeoutMs: 60 }), async (context) => {
            await write(db, context);
            return (await outcome(context, db)) as Response;
          });
        }
      });
      const random = randomFrom(seed);
      const paths = Object.keys(OUTCOMES);
      const wrong: unknown[] = [];
      let [last, answered] = [0, 0];
      const ask = async (): Promise<void> => {
        const id = (last += 1);
        const path = paths[Math.floor(random() * paths.length)]!;
        const options = { method: 'POST', body: 'x'.repeat(id % 100), redirect: 'manual' } as const;
        const leaves = random() < 0.3 ? AbortSignal.timeout(Math.floor(random() * 25)) : null;
        let status: number | undefined;
        try {
          const response = await fetch(`${service.url}${path}?id=${id}`, { ...options, signal: leaves });
          status = response.status;
          // At once: what is answered is committed before (never after).
          const count = await withoutTransaction(() =>
            db.value<number>('select count(*) from row where abs(id) = ?', [id]),
          );
          if (count !== (status < 400 ? 2 : 0)) wrong.push({ id, path, status, count });
          await response.text();
          answered += 1;
        } catch {
          // The client went away: it may have been done or not, but never half.
        }
      };
      for (let round = 0; round < scaled(6); round += 1) {
        await Promise.all(Array.from({ length: 20 }, ask));
      }
      // What was given up, and comes too late.
      await sleep(150);
      const ids = await idsIn(db);
      expect(answered).toBeGreaterThan(last / 4);
      expect(wrong, `seed ${seed}`).toEqual([]);
      expect([...ids].filter((id) => !ids.has(-id) && id <= last)).toEqual([]);
      expect([...ids].filter((id) => id > last)).toEqual([]);
      await expectAtRest(db);
    },
    scaledTimeoutMs(),
  );

  test('a client that goes away at any moment leaves all or nothing, and no transaction (C63)', async () => {
    const { db } = await openScratch(SCHEMA);
    const service = await serve((app) => {
      app.post('/slow', transactional({ database: db }), async (context) => {
        await write(db, context, 15);
        await sleep(5);
        return context.json({}, 201);
      });
    });
    const moments = scaled(30);
    for (let ms = 0; ms < moments; ms += 1) {
      const asking = fetch(`${service.url}/slow?id=${ms + 1}`, {
        method: 'POST',
        signal: AbortSignal.timeout(ms),
      });
      await asking.then((response) => response.text()).catch(() => undefined);
    }
    await expectAtRest(db);
    const ids = await idsIn(db);
    expect([...ids].filter((id) => !ids.has(-id))).toEqual([]);
    const { rolledBack } = db.stats().transactions;
    expect(rolledBack).toBeGreaterThan(0);
  });

  test('a limit is a rollback, answered with 504, whatever the handler still does (P4, B9)', async () => {
    const { db } = await openScratch(SCHEMA);
    const answered = Promise.withResolvers<void>();
    const late: string[] = [];
    const service = await serve((app) => {
      app.post('/', transactional({ database: db, timeoutMs: 500 }), async (context) => {
        await db.run('insert into row values (1)');
        await answered.promise;
        await db.run('insert into row values (2)').catch((error: Error) => late.push(error.name));
        context.header('X-Late', 'yes');
        return context.json({}, 201);
      });
    });
    const response = await fetch(service.url, { method: 'POST' });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      504,
      'application/problem+json',
    ]);
    expect(await response.json()).toMatchObject({ status: 504, detail: expect.stringContaining('undone') });
    answered.resolve();
    await expect.poll(() => late).toEqual(['TransactionClosedError']);
    expect(await idsIn(db)).toEqual(new Set());
    await expectAtRest(db);
  });

  test('none is held while a body is streamed: it is committed before the first byte', async () => {
    const { db } = await openScratch(SCHEMA);
    const seen = Promise.withResolvers<void>();
    const service = await serve((app) => {
      app.post('/', transactional({ database: db }), async (context) => {
        await write(db, context);
        return withoutTransaction(() =>
          stream(context, async (body) => {
            await body.write('rows:\n');
            await seen.promise;
            for await (const row of db.stream('select id from row order by id')) {
              await body.write(`${String(row['id'])}\n`);
            }
          }),
        );
      });
    });
    const response = await fetch(`${service.url}/?id=7`, { method: 'POST' });
    const text = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect([response.status, (await text.read()).value]).toEqual([200, 'rows:\n']);
    expect(db.stats().transactions).toMatchObject({ active: 0, committed: 1 });
    seen.resolve();
    let rest = '';
    for (let read = await text.read(); !read.done; read = await text.read()) rest += read.value;
    expect(rest).toBe('-7\n7\n');
    await expectAtRest(db);
  });

  test('GET and HEAD read on a snapshot and cannot write; OPTIONS has none', async () => {
    const { db } = await openScratch(SCHEMA);
    const service = await serve((app) => {
      app.use(transactional({ database: db }));
      app.get('/kind', (context) => context.json(db.currentTransaction?.readOnly ?? 'none'));
      app.options('/kind', (context) => context.json(db.currentTransaction?.readOnly ?? 'none'));
      app.get('/write', async (context) => context.json(await db.run('insert into row values (1)')));
    });
    expect(await (await fetch(`${service.url}/kind`)).json()).toBe(true);
    expect((await fetch(`${service.url}/kind`, { method: 'HEAD' })).status).toBe(200);
    expect(await (await fetch(`${service.url}/kind`, { method: 'OPTIONS' })).json()).toBe('none');
    expect((await fetch(`${service.url}/write`)).status).toBe(500);
    expect(db.stats().transactions).toMatchObject({ committed: 2, rolledBack: 1 });
    await expectAtRest(db);
  });

  test('a commit that fails is an error, with nothing of the answer that was meant to be', async () => {
    const { db } = await openScratch(`${SCHEMA};
      create table child (row int references row (id) deferrable initially deferred)`);
    const service = await serve((app) => {
      app.post('/', transactional({ database: db }), async (context) => {
        await db.run('insert into child values (99)');
        context.header('Set-Cookie', 'session=1');
        context.header('Location', '/child/99');
        return context.json({ made: true }, 201, { ETag: '"1"' });
      });
    });
    const response = await fetch(service.url, { method: 'POST' });
    expect(response.status).toBe(409);
    const { headers } = response;
    expect(['set-cookie', 'location', 'etag'].map((name) => headers.get(name))).toEqual([null, null, null]);
    expect(await response.json()).toMatchObject({ status: 409, title: 'Conflict' });
    expect(await db.value('select count(*) from child')).toBe(0);
    await expectAtRest(db);
  });

  test('callbacks: after the commit, or told why not; one that fails changes no answer', async () => {
    const { db } = await openScratch(SCHEMA);
    const heard: unknown[] = [];
    const service = await serve((app) => {
      app.post('/:status', transactional({ database: db }), async (context) => {
        onCommit(() => void heard.push('committed'));
        onRollback((error) => void heard.push(error));
        if (context.req.query('fails') !== undefined) {
          onCommit(() => {
            throw new Error('a callback');
          });
        }
        await write(db, context);
        return context.json({}, Number(context.req.param('status')) as 200);
      });
    });
    const post = (path: string) => fetch(`${service.url}${path}`, { method: 'POST' });
    expect((await post('/201?id=1')).status).toBe(201);
    expect((await post('/404?id=2')).status).toBe(404);
    expect((await post('/201?id=3&fails')).status).toBe(201);
    expect(heard).toEqual(['committed', expect.any(ResponseRollbackError), 'committed']);
    expect(await idsIn(db)).toEqual(new Set([1, -1, 3, -3]));
  });

  test('a slow body does not hold the writer (C64)', async () => {
    const { db } = await openScratch(SCHEMA);
    const service = await serve((app) => {
      app.post('/', transactional({ database: db }), async (context) => {
        const body = await context.req.json<{ id: number }>();
        await db.run('insert into row values (?)', [body.id]);
        return context.json(body, 201);
      });
    });
    const socket = connect(service.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n';
    const arrived = once(service.server, 'request');
    socket.write(`${head}{"id":`);
    await arrived;
    // What a request that has arrived would do without waiting for its body.
    await sleep(50);
    expect(db.stats().transactions.active).toBe(0);
    await db.run('insert into row values (1)', [], { timeoutMs: 10_000 });
    socket.write('2}');
    await expect.poll(() => answer).toContain('201 Created');
    expect(await idsIn(db)).toEqual(new Set([1, 2]));
  });

  test("a client that goes away with half of its body begins nothing, and is nobody's fault", async () => {
    const { db } = await openScratch(SCHEMA);
    const service = await serve((app) => {
      app.post('/', transactional({ database: db }), (context) => context.json({}));
    });
    const socket = connect(service.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const arrived = once(service.server, 'request');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
    await arrived;
    socket.destroy();
    await expect.poll(() => service.lines.map(({ fields }) => fields['status'])).toContain(499);
    expect(service.lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(db.stats().transactions.started).toBe(0);
  });

  test('commitWhen decides; several databases go together; a body that is too long begins nothing', async () => {
    const first = await openScratch(SCHEMA, { name: 'first' });
    const second = await openScratch(SCHEMA, { name: 'second' });
    const service = await serve((app) => {
      const options = {
        database: ['first', 'second'],
        commitWhen: (context: Context) => context.res.status === 418,
        maxBodyBytes: 10,
      };
      app.post('/:status', transactional(options), async (context) => {
        await write(first.db, context);
        await write(second.db, context);
        return context.json({}, Number(context.req.param('status')) as 200);
      });
    });
    const post = (path: string, body = '') => fetch(`${service.url}${path}`, { method: 'POST', body });
    expect((await post('/418?id=1')).status).toBe(418);
    expect((await post('/200?id=2')).status).toBe(200);
    expect((await post('/418?id=3', 'x'.repeat(11))).status).toBe(413);
    for (const { db } of [first, second]) {
      expect(await idsIn(db)).toEqual(new Set([1, -1]));
      expect(db.stats().transactions.started).toBe(2);
      await expectAtRest(db);
    }
  });

  test('a handler that returns nothing is answered with 500, and has written nothing (C63)', async () => {
    const { db } = await openScratch(SCHEMA);
    const service = await serve((app) => {
      const forgetful = async (context: Context): Promise<void> => void (await write(db, context));
      app.post('/', transactional({ database: db }), forgetful as unknown as () => Promise<Response>);
    });
    expect((await fetch(`${service.url}/?id=1`, { method: 'POST' })).status).toBe(500);
    expect(await idsIn(db)).toEqual(new Set());
    expect(inspect(service.lines, { depth: 4 })).toContain('The handler of POST / returned no response');
    await expectAtRest(db);
  });

  test('with an error handler that fails, or none of ours, nothing is committed either', async () => {
    const { db } = await openScratch(SCHEMA);
    for (const onError of [undefined, () => Promise.reject(new Error('in onError'))]) {
      const app = new Hono();
      if (onError !== undefined) app.onError(onError);
      app.post('/', transactional({ database: db }), async (context) => {
        await write(db, context);
        throw new Error('after the write');
      });
      await using server = await startServer(app, { port: 0, environment: {}, shutdown: false });
      expect((await fetch(`${server.url}/?id=1`, { method: 'POST' })).status).toBe(500);
      expect(await idsIn(db)).toEqual(new Set());
    }
    await expectAtRest(db);
  });

  test('wrong options are refused when it is made', () => {
    const wrong = { timeoutMs: -1, readonly: true } as unknown as TransactionOptions;
    expect(() => transactional(wrong)).toThrow(/transactional\.timeoutMs[^]*Did you mean "readOnly"/);
  });
});
