import { ecsFormat } from '@elastic/ecs-pino-format';
import { createReadStream, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createElasticShipper, withEcsFields, type ElasticShipper } from '../../../src/metrics/index.ts';
import { bulkServer, type BulkServer } from '../../fixtures/bulk-server.ts';
import { openScratch, scratchPath } from '../../fixtures/scratch-database.ts';

type Options = Omit<Parameters<typeof createElasticShipper>[0], 'url'>;

function shipTo(server: Pick<BulkServer, 'url'>, options: Options = {}): ElasticShipper {
  const shipper = createElasticShipper({
    url: server.url,
    flushMs: 10,
    retryMinMs: 5,
    retryMaxMs: 20,
    ...options,
  });
  onTestFinished(() => shipper.close({ timeoutMs: 1 }));
  return shipper;
}

async function until(isTrue: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 20_000; !isTrue() && performance.now() < deadline;)
    await sleep(5);
  expect(isTrue()).toBe(true);
}

function expectNoLoss({
  written,
  shipped,
  dropped,
  refused,
  waiting,
}: ReturnType<ElasticShipper['stats']>): void {
  expect(shipped + dropped + refused + waiting).toBe(written);
}

const line = (id: number) => `${JSON.stringify({ id })}\n`;

describe('logs shipped to Elasticsearch (M11, J9)', () => {
  test("of a database are in ECS form: SQL, duration and result's size, and no value", async () => {
    const server = await bulkServer();
    const shipper = shipTo(server, { apiKey: 'secret-key' });
    const logger = pino(
      { level: 'debug', ...withEcsFields(ecsFormat({ serviceName: 'shop' })) },
      shipper.stream,
    );
    const { db } = await openScratch('create table notes (id integer primary key)', { log: logger });
    await db.all('select * from notes where id = ?', [987_654_321]);
    await db.all('select * from missing').catch(() => undefined);
    logger.info({ port: 80 }, 'of the application');
    await shipper.flush();
    const of = (action: string) =>
      server.documents.findLast((document) => (document['event'] as { action?: string })?.action === action);
    expect(of('query:end')).toMatchObject({
      'log.level': 'debug',
      'service.name': 'shop',
      message: 'query',
      event: { category: ['database'], provider: 'millpond', duration: expect.any(Number) },
      millpond: { sql: 'select * from notes where id = ?', rows: 0, database: 'unnamed' },
    });
    expect(of('query:error')).toMatchObject({ error: { message: expect.stringContaining('no such table') } });
    expect(server.documents.at(-1)).toMatchObject({ message: 'of the application', port: 80 });
    expect(JSON.stringify(server.documents)).not.toMatch(/987654321|secret-key/);
    expect(server.requests[0]).toMatchObject({
      path: expect.stringMatching(/^\/_bulk\?/),
      headers: { authorization: 'ApiKey secret-key', 'content-type': 'application/x-ndjson' },
    });
    expectNoLoss(shipper.stats());
  });

  test('arrive in order, several in a request', async () => {
    const server = await bulkServer();
    const shipper = shipTo(server, { maxBatchBytes: 500 });
    for (let id = 0; id < 1_000; id += 1) shipper.stream.write(line(id));
    await until(() => shipper.stats().shipped === 1_000);
    expect(server.documents.map(({ id }) => id)).toEqual(Array.from({ length: 1_000 }, (_, id) => id));
    expect(server.requests.length).toBeLessThan(100);
    expect(shipper.stats()).toMatchObject({ shipped: 1_000, dropped: 0, waiting: 0, waitingBytes: 0 });
  });

  test('are whole, wherever the chunks of a file that is piped end', async () => {
    const server = await bulkServer();
    const shipper = shipTo(server, { whenFull: 'wait', maxQueueBytes: 1_000 });
    const texts = Array.from({ length: 200 }, (_, id) => JSON.stringify({ id, text: 'Österreich 🏔' }));
    const file = Buffer.from(texts.join('\n'));
    const chunks = Array.from({ length: Math.ceil(file.length / 7) }, (_, at) =>
      file.subarray(at * 7, at * 7 + 7),
    );
    await pipeline(chunks, shipper.stream);
    expect(server.documents.map((document) => JSON.stringify(document))).toEqual(texts);
    expect(shipper.stats()).toMatchObject({ written: 200, shipped: 200 });
  });

  test('of an answer that says failed, and names none that did, are shipped', async () => {
    const answer = { errors: true, items: [{ create: { status: 201 } }] };
    const shipper = createElasticShipper(
      { url: 'http://127.0.0.1:9' },
      { fetch: async () => Response.json(answer) },
    );
    shipper.stream.write(line(1));
    await shipper.close();
    expect(shipper.stats()).toMatchObject({ shipped: 1, refused: 0 });
    expect(shipper.stats()).not.toHaveProperty('lastFailure');
  });

  test.each([429, 500, 503, 401])('wait while the answer is %i, and are shipped then', async (status) => {
    const server = await bulkServer();
    server.answer = { status };
    const shipper = shipTo(server);
    shipper.stream.write(line(1));
    await until(() => shipper.stats().failedRequests >= 2);
    expect(shipper.stats()).toMatchObject({ waiting: 1, lastFailure: `status ${status}` });
    server.answer = {};
    await until(() => shipper.stats().shipped === 1);
    expectNoLoss(shipper.stats());
  });

  test('of a request that is too large are shipped in smaller ones, from then on; one alone is refused', async () => {
    const server = await bulkServer();
    server.answer = { maxBytes: 2_000 };
    const shipper = shipTo(server, { maxBatchBytes: 100_000 });
    const long = `${JSON.stringify({ id: 50, text: 'x'.repeat(5_000) })}\n`;
    const write = (from: number, to: number) => {
      for (let id = from; id < to; id += 1) shipper.stream.write(id === 50 ? long : line(id));
    };
    write(0, 200);
    await until(() => shipper.stats().waiting === 0);
    expect(shipper.stats()).toMatchObject({
      shipped: 199,
      refused: 1,
      dropped: 0,
      lastFailure: 'status 413',
    });
    const ids = Array.from({ length: 200 }, (_, id) => id).filter((id) => id !== 50);
    expect(server.documents.map(({ id }) => id)).toEqual(ids);
    const { length } = server.requests;
    write(200, 300);
    await until(() => shipper.stats().waiting === 0);
    expect(server.documents.at(-1)).toEqual({ id: 299 });
    // All of them taken: nothing is found out anew.
    expect(server.requests.length - length).toBeLessThan(30);
    expectNoLoss(shipper.stats());
  });

  test('of which single ones are refused are counted, and those it had no time for come again', async () => {
    const server = await bulkServer();
    const asked = new Map<unknown, number>();
    const item = ({ id }: Record<string, unknown>) => {
      asked.set(id, (asked.get(id) ?? 0) + 1);
      if (id === 2) return 400;
      return id === 3 && asked.get(id) === 1 ? 429 : 201;
    };
    server.answer = { item };
    const shipper = shipTo(server);
    for (const id of [1, 2, 3, 4]) shipper.stream.write(line(id));
    await until(() => shipper.stats().waiting === 0);
    expect(server.documents.map(({ id }) => id)).toEqual([1, 4, 3]);
    expect(shipper.stats()).toMatchObject({
      shipped: 3,
      refused: 1,
      dropped: 0,
      lastFailure: 'refused_exception',
    });
  });

  test('that nobody takes are bounded: the oldest are dropped and counted', async () => {
    const shipper = shipTo({ url: 'http://127.0.0.1:9' }, { maxQueueBytes: 1_000 });
    for (let id = 0; id < 10_000; id += 1) shipper.stream.write(line(id));
    await until(() => shipper.stats().failedRequests > 0);
    const stats = shipper.stats();
    expect(stats.waitingBytes).toBeLessThanOrEqual(1_000);
    expect(stats.dropped).toBeGreaterThan(9_800);
    expectNoLoss(stats);
    await shipper.close({ timeoutMs: 10 });
    shipper.stream.write(line(1));
    expect(shipper.stats()).toMatchObject({ written: 10_001, dropped: 10_001, waiting: 0 });
  });

  test('that are too long for a request are dropped alone', async () => {
    const server = await bulkServer();
    const shipper = shipTo(server, { maxBatchBytes: 100 });
    shipper.stream.write(`${JSON.stringify({ long: 'x'.repeat(200) })}\n`);
    shipper.stream.write(line(1));
    await until(() => shipper.stats().shipped === 1);
    expect(shipper.stats()).toMatchObject({ dropped: 1, shipped: 1 });
  });

  test('from a file make the reader wait while Elasticsearch is slow, and lose nothing', async () => {
    const server = await bulkServer();
    server.answer = { delayMs: 5 };
    const path = `${scratchPath()}.log`;
    writeFileSync(path, Array.from({ length: 5_000 }, (_, id) => line(id)).join(''));
    const shipper = shipTo(server, { whenFull: 'wait', maxQueueBytes: 20_000, maxBatchBytes: 5_000 });
    let most = 0;
    const look = setInterval(() => (most = Math.max(most, shipper.stats().waitingBytes)), 1);
    // Whole lines: a file is read in pieces that end anywhere.
    await pipeline(createReadStream(path, { encoding: 'utf8' }), wholeLines, shipper.stream);
    clearInterval(look);
    expect(server.documents).toHaveLength(5_000);
    expect(shipper.stats()).toMatchObject({ shipped: 5_000, dropped: 0, waiting: 0 });
    expect(most).toBeLessThan(20_000 + 70_000);
  });

  test('by a server that never answers cost no more than the queue, and closing settles', async () => {
    const server = await bulkServer();
    server.answer = { delayMs: 60_000 };
    const shipper = shipTo(server, { requestTimeoutMs: 30 });
    shipper.stream.write(line(1));
    await until(() => shipper.stats().failedRequests >= 1);
    expect(shipper.stats().lastFailure).toBe('TimeoutError');
    const startedAt = performance.now();
    await shipper.close({ timeoutMs: 50 });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(shipper.stats()).toMatchObject({ written: 1, dropped: 1, waiting: 0 });
  });
});

async function* wholeLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const end = (rest + chunk).lastIndexOf('\n') + 1;
    yield (rest + chunk).slice(0, end);
    rest = (rest + chunk).slice(end);
  }
}

describe('options of a shipper', () => {
  test('that are wrong are refused at once, without a secret in the message', () => {
    const wrong = { url: 'http://user:hunter2@host', index: 'Not An Index', flushMs: 0, whenfull: 'wait' };
    const open = () => createElasticShipper(wrong);
    expect(open).toThrow(/4 faults[^]*must hold no password[^]*no name of an index/);
    expect(open).not.toThrow('hunter2');
    expect(() => createElasticShipper({ url: 'ftp://host' })).toThrow('http(s)');
  });

  test.each([
    [{ apiKey: 'key', username: 'ada', password: 'hunter2' }, 'elastic.apiKey'],
    [{ username: 'ada' }, 'elastic.password'],
    [{ password: 'hunter2' }, 'elastic.username'],
    [{ apiKey: '' }, 'elastic.apiKey'],
    [{ apiKey: 'hunter2\n' }, 'elastic.apiKey'],
  ])('are no half or double credentials: fault %#', (credentials, place) => {
    const open = () => createElasticShipper({ url: 'http://127.0.0.1:1', ...credentials });
    expect(open).toThrow(place);
    expect(open).not.toThrow('hunter2');
  });
});
