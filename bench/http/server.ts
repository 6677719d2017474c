import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type CreateServerOptions } from '../../src/hono/index.ts';
import { openDatabase, type Database } from '../../src/index.ts';
import { Metrics } from '../../src/metrics/index.ts';
import { createMonitor } from '../../src/monitor/index.ts';

/*
 * The process of one server of the comparison, or of several: argv says which. Sends their ports when they
 * listen, and its CPU time in microseconds, of all its threads, whenever it is asked.
 */

const ROWS = 1_000;
const nothing = (): void => undefined;
// Writing lines is another program's work: the log's.
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const BASE: CreateServerOptions = { environment: {}, log };
const EVERYTHING: CreateServerOptions = {
  ...BASE,
  hosts: ['127.0.0.1'],
  cors: { origins: ['https://app.example.com'] },
  rateLimit: { limit: 1_000_000, windowMs: 1_000 },
};

const APPS: Readonly<Record<string, () => Hono | Promise<Hono>>> = {
  'bare Hono': () => withUsers(new Hono()),
  'createServer()': () => withUsers(createServer(BASE)),
  'createServer() with everything': () => withUsers(createServer(EVERYTHING)),
  'a service': bareService,
  // What is found between two that are the same is the error of this measurement.
  'the same again': bareService,
  'a service with metrics': async () => {
    const [metrics, db] = [new Metrics(), await openNotes()];
    metrics.watch(db);
    return withNotes(createServer({ ...BASE, metrics }), db);
  },
  'a service with a monitor': async () => {
    const [metrics, db] = [new Metrics(), await openNotes()];
    const monitor = createMonitor({ databases: [db], metrics, token: 'only for this measurement' });
    return withNotes(createServer({ ...BASE, metrics, monitor }), db);
  },
};

async function bareService(): Promise<Hono> {
  return withNotes(createServer(BASE), await openNotes());
}

function withUsers(app: Hono): Hono {
  const list = Array.from({ length: 100 }, (_, id) => ({ id, name: `user ${id}`, city: 'Lovelace' }));
  app.get('/users/:id', (context) =>
    context.json({ id: context.req.param('id'), name: 'Ada', roles: ['reader', 'writer'] }),
  );
  return app.get('/users', (context) => context.json(list));
}

function withNotes(app: Hono, db: Database): Hono {
  let id = 0;
  app.get('/notes', async (context) => {
    id = (id % ROWS) + 1;
    const [notes, total] = await Promise.all([
      db.all('select * from notes where id > ? order by id limit 50', [id]),
      db.value('select count(*) from notes'),
    ]);
    return context.json({ total, notes });
  });
  return app.get('/notes/:id', async (context) => {
    id = (id % ROWS) + 1;
    return context.json((await db.get('select * from notes where id = ?', [id])) ?? null);
  });
}

async function openNotes(): Promise<Database> {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-http-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const db = await openDatabase({ url: `sqlite:${join(folder, 'app.db')}`, name: false, log });
  await db.script(`create table notes (id integer primary key, title text);
    with recursive n(v) as (select 1 union all select v + 1 from n where v < ${ROWS})
    insert into notes select v, 'note ' || v from n;`);
  return db;
}

const ports: number[] = [];
for (const kind of process.argv.slice(2)) {
  const app = await APPS[kind]!();
  const server = createAdaptorServer({ fetch: app.fetch });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ports.push((server.address() as AddressInfo).port);
}
process.send!(ports);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send!(user + system);
});
process.on('disconnect', () => process.exit());
