import { eq, sql } from 'drizzle-orm';
import { drizzle as drizzleOnPg } from 'drizzle-orm/node-postgres';
import { bigint, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { drizzle as drizzleOnPostgresJs } from 'drizzle-orm/postgres-js';
import { Kysely, PostgresDialect, type Generated } from 'kysely';
import { once } from 'node:events';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Pool } from 'pg';
import postgres from 'postgres';
import { drizzle, repository } from '../../src/drizzle/index.ts';
import { openDatabase } from '../../src/index.ts';
import { MillpondDialect } from '../../src/kysely/index.ts';
import { startPostgres } from '../../test/servers/postgres.ts';
import { measureCallers } from '../harness/callers.ts';
import { medianOf } from '../harness/statistics.ts';

/*
 * Drizzle and Kysely on PostgreSQL, through millpond and through `pg` and postgres.js, ten connections each, on a
 * server of its own with fsync on: `node bench/mappers/main.ts`. Each peer runs in a process of its own, in turn.
 */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    ms: { type: 'string', default: '700' },
    cell: { type: 'string' },
  },
});
const CALLERS = 64;
const CONNECTIONS = 10;
const ITEMS = 10_000;
const ROWS = 20_000;

const items = pgTable('items', { id: integer().primaryKey(), name: text().notNull() });
const events = pgTable('events', {
  id: bigint({ mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
  itemId: integer('item_id').notNull(),
  payload: text().notNull(),
});

interface Tables {
  readonly items: { readonly id: number; readonly name: string };
  readonly events: { readonly id: Generated<number>; readonly item_id: number; readonly payload: string };
}

interface Peer {
  read(id: number): Promise<unknown>;
  insert(itemId: number): Promise<unknown>;
  insertMany?(rows: readonly { readonly itemId: number; readonly payload: string }[]): Promise<unknown>;
  close(): Promise<unknown>;
}

const PAYLOAD = 'payload '.padEnd(60, 'abcdefghij');

const PEERS: Readonly<Record<string, (url: string) => Promise<Peer>>> = {
  'drizzle on millpond': async (url) => {
    const db = await openDatabase({ url, name: false, log: 'silent', pool: { max: CONNECTIONS } });
    const rows = repository(db, events);
    const peer = drizzlePeer(drizzle(db, { dialect: 'postgres' }), () => db.close());
    return { ...peer, insertMany: (many) => rows.saveMany(many, { returning: false }) };
  },
  'drizzle on pg': async (url) => {
    const pool = new Pool({ connectionString: url, max: CONNECTIONS });
    return drizzlePeer(drizzleOnPg({ client: pool }), () => pool.end());
  },
  'drizzle on postgres.js': async (url) => {
    const client = postgres(url, { max: CONNECTIONS });
    return drizzlePeer(drizzleOnPostgresJs({ client }), () => client.end());
  },
  'kysely on millpond': async (url) => {
    const db = await openDatabase({ url, name: false, log: 'silent', pool: { max: CONNECTIONS } });
    return kyselyPeer(new Kysely<Tables>({ dialect: new MillpondDialect(db) }), () => db.close());
  },
  'kysely on pg': async (url) => {
    const pool = new Pool({ connectionString: url, max: CONNECTIONS });
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
    return kyselyPeer(db, () => db.destroy());
  },
  'millpond by hand': async (url) => {
    const db = await openDatabase({ url, name: false, log: 'silent', pool: { max: CONNECTIONS } });
    const INSERT = 'insert into events (item_id, payload) values ($1, $2)';
    return {
      read: (id) => db.get('select id, name from items where id = $1', [id]),
      insert: (itemId) => db.run(INSERT, [itemId, PAYLOAD]),
      insertMany: (rows) => db.batch(rows.map(({ itemId, payload }) => [INSERT, [itemId, payload]] as const)),
      close: () => db.close(),
    };
  },
};

type AnyDrizzle = Pick<ReturnType<typeof drizzleOnPg>, 'select' | 'insert'>;

function drizzlePeer(given: object, close: () => Promise<unknown>): Peer {
  // The three differ in what a write without rows gives, which nobody looks at here.
  const orm = given as AnyDrizzle;
  const point = orm
    .select()
    .from(items)
    .where(eq(items.id, sql.placeholder('id')))
    .prepare('point');
  const insert = orm
    .insert(events)
    .values({ itemId: sql.placeholder('itemId'), payload: sql.placeholder('payload') })
    .prepare('insert');
  return {
    read: (id) => point.execute({ id }),
    insert: (itemId) => insert.execute({ itemId, payload: PAYLOAD }),
    close,
  };
}

function kyselyPeer(db: Kysely<Tables>, close: () => Promise<unknown>): Peer {
  return {
    read: (id) => db.selectFrom('items').selectAll().where('id', '=', id).executeTakeFirst(),
    insert: (itemId) => db.insertInto('events').values({ item_id: itemId, payload: PAYLOAD }).execute(),
    close,
  };
}

type Figures = Readonly<Record<'reads/s' | 'inserts/s' | 'rows/s', number>>;

if (values.cell === undefined) await main();
else await cell(values.cell);

async function main(): Promise<void> {
  const server = await startPostgres({
    settings: { fsync: 'on', full_page_writes: 'on', shared_buffers: '128MB' },
  });
  try {
    await seed(server.url);
    const figures = new Map<string, Figures[]>();
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const name of Object.keys(PEERS)) {
        figures.set(name, [...(figures.get(name) ?? []), await measured(name, server.url)]);
      }
    }
    report(figures);
  } finally {
    await server.stop();
  }
}

async function seed(url: string): Promise<void> {
  const db = await openDatabase({ url, name: false, log: 'silent' });
  await db.script(`
    create table items (id int primary key, name text not null);
    insert into items select n, 'item ' || n from generate_series(1, ${ITEMS}) n;
    analyze items;
    create table events (id bigint primary key generated by default as identity, item_id int not null,
      payload text not null);`);
  await db.close();
}

async function measured(name: string, url: string): Promise<Figures> {
  const child = fork(fileURLToPath(import.meta.url), ['--cell', name, '--ms', values.ms], {
    env: { ...process.env, BENCH_URL: url },
  });
  const failed = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`${name} ended with ${code}.`)),
  );
  const [figures] = (await Promise.race([once(child, 'message'), failed])) as [Figures];
  await failed.catch(() => undefined);
  return figures;
}

/** In a process of its own. */
async function cell(name: string): Promise<void> {
  const peer = await PEERS[name]!(process.env['BENCH_URL']!);
  const span = { callers: CALLERS, warmUpMs: 600, measureMs: Number(values.ms) };
  const reads = await measureCallers({ ...span, call: (random) => peer.read(1 + random.below(ITEMS)) });
  const inserts = await measureCallers({ ...span, call: (random) => peer.insert(random.below(ITEMS)) });
  const rows = Array.from({ length: ROWS }, (_, itemId) => ({ itemId, payload: PAYLOAD }));
  await peer.insertMany?.(rows);
  const before = performance.now();
  await peer.insertMany?.(rows);
  const tookMs = performance.now() - before;
  await peer.close();
  const figures: Figures = {
    'reads/s': reads['perSecond']!,
    'inserts/s': inserts['perSecond']!,
    'rows/s': peer.insertMany === undefined ? 0 : (ROWS / tookMs) * 1_000,
  };
  process.send!(figures);
}

function report(figures: ReadonlyMap<string, readonly Figures[]>): void {
  process.stdout.write(
    `${CALLERS} callers; rows/s: ${ROWS.toLocaleString('en')} rows in one call; medians\n`,
  );
  const table = [...figures].map(([peer, rounds]) => {
    const median = (figure: keyof Figures) => Math.round(medianOf(rounds.map((round) => round[figure])));
    return {
      peer,
      'reads/s': median('reads/s'),
      'inserts/s': median('inserts/s'),
      'rows/s': median('rows/s'),
    };
  });
  console.table(table);
}
