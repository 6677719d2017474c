import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { observedDatabase, type FakeDatabase } from '../../test/fixtures/observed-database.ts';
import { Metrics } from './metrics.ts';
import type { NPlusOneSuspect } from './n-plus-one.ts';
import { suggestJoin } from './suggest-join.ts';

let db: FakeDatabase;
let metrics: Metrics;
let suspects: NPlusOneSuspect[];
beforeEach(() => {
  db = observedDatabase();
  metrics = new Metrics({ nPlusOneThreshold: 5 });
  metrics.watch(db);
  suspects = [];
  metrics.on('query:n-plus-one', (suspect) => void suspects.push(suspect));
});
afterEach(() => metrics.close());

const author = (id: number) => `select * from authors where id = ${id}`;
const request = (work: () => void, route = 'GET /posts') => metrics.runInRequest({ route }, work);
function loop(count: number): void {
  for (let id = 0; id < count; id += 1) db.ran(author(id));
}

describe('a query in a loop (P8)', () => {
  test('is found, with its place, its parent and what to do instead', async () => {
    await request(function listPosts() {
      db.ran('select * from posts limit 8', { rows: 8 });
      loop(8);
    });
    expect(suspects).toMatchObject([
      {
        database: 'main',
        route: 'GET /posts',
        text: 'select * from authors where id = ?',
        repeats: 5,
        parent: { text: 'select * from posts limit ?', rows: 8 },
        suggestion: expect.stringContaining('id in (…)'),
      },
    ]);
    expect(metrics.snapshot().suspects).toMatchObject([{ route: 'GET /posts' }]);
  });

  test('is announced once a minute for each route, not once a request', async () => {
    for (let times = 0; times < 3; times += 1) await request(() => loop(20));
    await request(() => loop(20), 'GET /authors');
    expect(suspects.map(({ route }) => route)).toEqual(['GET /posts', 'GET /authors']);
  });

  test('is nothing below the threshold, in several requests, outside any, or when it is off', async () => {
    await request(() => loop(4));
    await request(() => loop(4));
    loop(50);
    const off = new Metrics({ nPlusOneThreshold: 0 });
    off.watch(db);
    off.on('query:n-plus-one', () => expect.unreachable());
    await off.runInRequest({ route: 'GET /' }, () => loop(50));
    off.close();
    expect(suspects).toEqual([]);
  });

  test('takes bounded memory in a request of any length (C73)', async () => {
    await request(() => {
      for (let index = 0; index < 5_000; index += 1) db.ran(`select a${index} from b`);
      expect(metrics.currentRequest()!.repeats?.shapes).toBe(200);
    });
  });
});

describe('the suggestion', () => {
  test.each([
    ['select * from a where b.c = ? and d = ?', 'ask for b.c in (…)'],
    ['select * from a', 'Ask once before the loop'],
    ['insert into a(b) values (?)', 'one insert with several rows'],
    ['update a set b = ? where c = ?', 'where id in (…)'],
  ])('for %s', (text, says) => {
    expect(suggestJoin(text)).toContain(says);
  });
});
