import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Metrics, type NPlusOneSuspect } from '../../../src/metrics/index.ts';
import { expectAtRest, scratchForAll } from '../../fixtures/scratch-database.ts';

const SCHEMA = `
  create table authors (id integer primary key, name text);
  create table posts (id integer primary key, author_id integer, title text);
  insert into authors select value, 'author ' || value from json_each('[1,2,3,4,5,6,7,8,9,10,11,12]');
  insert into posts select id, id, 'post ' || id from authors;`;

const scratch = scratchForAll(SCHEMA);
let metrics: Metrics;
let suspects: NPlusOneSuspect[];
beforeEach(() => {
  metrics = new Metrics();
  metrics.watch(scratch.db);
  suspects = [];
  metrics.on('query:n-plus-one', (suspect) => void suspects.push(suspect));
});
afterEach(async () => {
  metrics.close();
  await expectAtRest(scratch.db);
});

interface Post {
  readonly author_id: number;
}
const posts = () => scratch.db.all<Post>('select * from posts');
const author = (id: number) => scratch.db.get('select * from authors where id = ?', [id]);

describe('a query in a loop (P8)', () => {
  test('is found with the line that made it, and with the list it is made for', async () => {
    await metrics.runInRequest({ route: 'GET /posts' }, async function listPosts() {
      for (const post of await posts()) await author(post.author_id);
    });
    const [suspect] = suspects;
    expect(suspects).toHaveLength(1);
    expect(suspect).toMatchObject({
      database: 'unnamed',
      route: 'GET /posts',
      text: 'select * from authors where id = ?',
      repeats: 10,
      parent: { text: 'select * from posts', rows: 12 },
    });
    expect(suspect!.callSite).toMatch(/^author .*n-plus-one\.test\.ts:\d+:\d+\)$/);
    expect(suspect!.callers.join('\n')).toMatch(/listPosts .*n-plus-one\.test\.ts/);
    expect(suspect!.suggestion).toContain('id in (…)');
  });

  test('is an event of its database, said once on the channel', async () => {
    const heard: unknown[] = [];
    const published: unknown[] = [];
    const publish = (event: unknown) => void published.push(event);
    const stop = scratch.db.on('query:n-plus-one', (event) => void heard.push(event));
    subscribe('millpond:query:n-plus-one', publish);
    await metrics.runInRequest({ route: 'GET /posts' }, async () => {
      for (const post of await posts()) await author(post.author_id);
    });
    stop();
    unsubscribe('millpond:query:n-plus-one', publish);
    expect(suspects).toHaveLength(1);
    expect(heard).toEqual(suspects);
    expect(published).toEqual(suspects);
  });

  test('is found where all are sent at once, and inside a transaction', async () => {
    await metrics.runInRequest({ route: 'GET /together' }, async () => {
      const found = await posts();
      await Promise.all(found.map((post) => author(post.author_id)));
    });
    await metrics.runInRequest({ route: 'GET /transaction' }, () =>
      scratch.db.transaction(async () => {
        for (const post of await posts()) await author(post.author_id);
      }),
    );
    expect(suspects.map(({ route }) => route)).toEqual(['GET /together', 'GET /transaction']);
  });

  test('is nothing where a function of a repository is called from many lines', async () => {
    await metrics.runInRequest({ route: 'GET /' }, async () => {
      await author(1);
      await author(2);
      await author(3);
      await author(4);
      await author(5);
      await author(6);
      await author(7);
      await author(8);
      await author(9);
      await author(10);
      await author(11);
    });
    expect(suspects).toEqual([]);
  });
});

describe('a request with a real database', () => {
  test('has the statements of its own flow only, and their rows (D13)', async () => {
    const route = { route: 'GET /posts' };
    const usages = await Promise.all(
      [1, 2, 3].map((count) =>
        metrics.runInRequest(route, async (request) => {
          for (let call = 0; call < count; call += 1) await posts();
          return request.usage;
        }),
      ),
    );
    expect(usages.map(({ queries, rows }) => [queries, rows])).toEqual([
      [1, 12],
      [2, 24],
      [3, 36],
    ]);
    expect(usages.every(({ dbMs }) => dbMs > 0)).toBe(true);
    expect(metrics.snapshot().routes).toMatchObject([{ count: 3, queries: 6, rows: 72 }]);
  });

  test('knows the tables of a statement, and where its time went', async () => {
    await posts();
    await scratch.db.run("update posts set title = 'x' where id = 1");
    const statements = metrics.snapshot().databases[0]!.statements;
    const update = statements.find(({ text }) => text.startsWith('update'));
    expect(update).toMatchObject({ rows: 1, tablesWritten: ['posts'] });
    for (const { phases, totalMs } of statements) {
      const { waitingMs, runningMs, transferringMs, unknownMs } = phases;
      expect(waitingMs + runningMs + transferringMs + unknownMs).toBeCloseTo(totalMs, 6);
    }
  });

  test('is counted as the database counts (B20)', async () => {
    const before = scratch.db.stats().queries.count;
    await Promise.allSettled([
      posts(),
      author(1),
      scratch.db.all('select nothing'),
      scratch.db.json('select 1'),
    ]);
    const counted = metrics.snapshot().databases[0]!.statements.reduce((sum, { count }) => sum + count, 0);
    expect(counted).toBe(scratch.db.stats().queries.count - before);
  });
});
