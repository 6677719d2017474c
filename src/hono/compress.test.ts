import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { chooseEncoding } from './accept-encoding.ts';
import { compress } from './compress.ts';

const LONG = 'compressible '.repeat(200);
const UNPACK: Record<string, (bytes: Buffer) => Buffer> = { br: brotliDecompressSync, gzip: gunzipSync };

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function streamOf(...chunks: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(to) {
      for (const chunk of chunks) to.enqueue(bytes(chunk));
      to.close();
    },
  });
}

async function get(make: () => Response, accept: string | null = 'gzip, br', method = 'GET') {
  const app = new Hono();
  app.use(compress());
  app.get('/', make);
  app.get('/json', (context) => context.json({ text: LONG }));
  const response = await app.request('/', {
    method,
    headers: accept === null ? {} : { 'Accept-Encoding': accept },
  });
  const body = Buffer.from(await response.arrayBuffer());
  const encoding = response.headers.get('content-encoding');
  return {
    response,
    encoding,
    size: body.byteLength,
    text: (UNPACK[encoding ?? ''] ?? ((same) => same))(body).toString(),
  };
}

const json = (
  body: string | ReadableStream | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) => new Response(body, { headers: { 'Content-Type': 'application/json', ...headers } });

describe('a body (M2)', () => {
  test('from 1,000 bytes on is compressed, and comes back as it was', async () => {
    for (const make of [() => json(LONG), () => json(bytes(LONG)), () => json(streamOf(LONG))]) {
      for (const [accept, expected] of [
        ['gzip', 'gzip'],
        ['gzip, br', 'br'],
      ] as const) {
        const { encoding, size, text, response } = await get(make, accept);
        expect([encoding, text]).toEqual([expected, LONG]);
        expect(size).toBeLessThan(LONG.length / 10);
        expect(response.headers.get('vary')).toBe('Accept-Encoding');
      }
    }
  });

  test('below is sent as it is, also where it has no length', async () => {
    for (const make of [
      () => json('{"a":1}'),
      () => json(streamOf('{"a"', ':1}')),
      () => json('x'.repeat(999)),
    ]) {
      expect((await get(make)).encoding).toBeNull();
    }
    const { response } = await get(() => json('{"a":1}', { 'Content-Length': '7' }));
    // The same for every client, so that caches need not keep one for each.
    expect([response.headers.get('vary'), response.headers.get('content-length')]).toEqual([null, '7']);
    expect((await get(() => json('x'.repeat(1_000)))).encoding).toBe('br');
    expect((await get(() => json(streamOf('x'.repeat(600), 'x'.repeat(400))))).encoding).toBe('br');
  });

  test.each<[string, () => Response]>([
    ['an image', () => new Response(LONG, { headers: { 'Content-Type': 'image/png' } })],
    [
      'an event stream',
      () => new Response(streamOf(LONG), { headers: { 'Content-Type': 'text/event-stream' } }),
    ],
    ['compressed already', () => json(LONG, { 'Content-Encoding': 'zstd' })],
    ['not to be changed', () => json(LONG, { 'Cache-Control': 'public, no-transform' })],
    ['a part', () => new Response(LONG, { status: 206, headers: { 'Content-Type': 'text/plain' } })],
    ['not there', () => new Response(null, { status: 204 })],
    ['of no type', () => new Response(bytes(LONG))],
  ])('that is %s is left alone', async (_name, make) => {
    const before = make();
    const { response } = await get(make);
    expect(Object.fromEntries(response.headers)).toEqual(Object.fromEntries(before.headers));
  });

  test('for a client that takes none of it, or asks for the head alone, is left alone', async () => {
    for (const accept of [null, '', 'identity', 'deflate', 'gzip;q=0, br;q=0', '*;q=0', 'x'.repeat(2_000)]) {
      expect((await get(() => json(LONG), accept)).encoding, String(accept)).toBeNull();
    }
    expect((await get(() => json(LONG), 'br', 'HEAD')).encoding).toBeNull();
  });

  test('that is compressed has a weak tag, no length or digest of the other, and its headers', async () => {
    const length = { 'Content-Length': String(LONG.length), 'Accept-Ranges': 'bytes' };
    const digests = { 'Content-Digest': 'sha-256=:aaaa:', 'Repr-Digest': 'sha-256=:aaaa:', Digest: 'a=b' };
    const headers = { ETag: '"1"', ...length, ...digests, 'X-Own': 'kept', Vary: 'Origin' };
    const { response, text } = await get(() => json(LONG, headers));
    const kept = ['etag', 'content-length', 'x-own', 'vary'].map((name) => response.headers.get(name));
    expect([...kept, text]).toEqual(['W/"1"', null, 'kept', 'Origin, Accept-Encoding', LONG]);
    for (const name of ['accept-ranges', ...Object.keys(digests)])
      expect(response.headers.get(name)).toBeNull();
    const weak = await get(() => json(LONG, { ETag: 'W/"2"', Vary: '*' }));
    expect(weak.response.headers.get('etag')).toBe('W/"2"');
    expect(weak.response.headers.get('vary')).toBe('*');
  });

  test('that has not changed is said to be the one that was compressed', async () => {
    const notModified = () => new Response(null, { status: 304, headers: { ETag: '"1"' } });
    const headers = async (accept: string | null) => {
      const { response } = await get(notModified, accept);
      return [response.status, response.headers.get('vary'), response.headers.get('etag')];
    };
    expect(await headers('br')).toEqual([304, 'Accept-Encoding', 'W/"1"']);
    expect(await headers(null)).toEqual([304, 'Accept-Encoding', '"1"']);
  });

  test('that Hono makes is one of these', async () => {
    const app = new Hono();
    app.use(compress());
    app.get('/json', (context) => context.json({ text: LONG }, 201, { 'X-Own': 'kept' }));
    app.get('/text', (context) => context.text(LONG));
    app.get('/body', (context) => context.body(bytes(LONG), 200, { 'Content-Type': 'text/csv' }));
    app.get('/html', (context) => context.html(LONG));
    for (const [path, status, type] of [
      ['/json', 201, 'application/json'],
      ['/text', 200, 'text/plain;charset=utf-8'],
      ['/body', 200, 'text/csv'],
      ['/html', 200, 'text/html;charset=utf-8'],
    ] as const) {
      const response = await app.request(path, { headers: { 'Accept-Encoding': 'gzip' } });
      const { headers } = response;
      const plain = gunzipSync(Buffer.from(await response.arrayBuffer())).toString();
      expect([response.status, headers.get('content-type')?.replace(' ', '').toLowerCase()]).toEqual([
        status,
        type,
      ]);
      expect(plain).toContain(LONG);
    }
  });
});

describe('a stream', () => {
  test('passes chunk by chunk: what was written can be read before the end', async () => {
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const source = new ReadableStream<Uint8Array>({ start: (to) => void (controller = to) });
    const app = new Hono();
    app.use(compress());
    app.get('/', () => new Response(source, { headers: { 'Content-Type': 'application/x-ndjson' } }));
    const asking = app.request('/', { headers: { 'Accept-Encoding': 'gzip' } });
    await new Promise((resolve) => setImmediate(resolve));
    const response = await asking;
    const plain = response.body!.pipeThrough(new DecompressionStream('gzip')).getReader();
    controller.enqueue(bytes('{"first":1}\n'));
    expect(new TextDecoder().decode((await plain.read()).value)).toBe('{"first":1}\n');
    controller.enqueue(bytes('{"second":2}\n'));
    expect(new TextDecoder().decode((await plain.read()).value)).toBe('{"second":2}\n');
    controller.close();
    expect((await plain.read()).done).toBe(true);
  });

  test('that nobody reads to its end is told to stop; one that fails does not look whole', async () => {
    let cancelled = false;
    const endless = () =>
      json(
        new ReadableStream({
          pull: (to) => to.enqueue(bytes(LONG)),
          cancel: () => void (cancelled = true),
        }),
      );
    const app = new Hono();
    app.use(compress());
    app.get('/endless', endless);
    app.get('/broken', () => {
      let count = 0;
      return json(
        new ReadableStream({
          async pull(to) {
            await new Promise((resolve) => setImmediate(resolve));
            if (count++ < 2) to.enqueue(bytes(LONG));
            else to.error(new Error('half-way'));
          },
        }),
      );
    });
    const headers = { 'Accept-Encoding': 'gzip' };
    const reader = (await app.request('/endless', { headers })).body!.getReader();
    await reader.read();
    await reader.cancel();
    await expect.poll(() => cancelled).toBe(true);
    await expect((await app.request('/broken', { headers })).arrayBuffer()).rejects.toThrow('half-way');
  });
});

test('the encoding is the one the client likes best, then ours (RFC 9110)', () => {
  const ours = ['br', 'gzip'] as const;
  const cases: [string, string | undefined][] = [
    ['gzip, br', 'br'],
    ['gzip;q=1, br;q=0.5', 'gzip'],
    ['GZIP', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *', 'gzip'],
    ['gzip ; q=0.1', 'gzip'],
    ['identity, gzip;q=0.5', undefined],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['identity;q=0, gzip;q=0.1', 'gzip'],
    ['gzip;q=x', undefined],
    ['gzipped', undefined],
    ['', undefined],
  ];
  for (const [header, expected] of cases) expect(chooseEncoding(header, ours), header).toBe(expected);
});

test('wrong options are refused', () => {
  expect(() => compress({ thresholdBytes: -1, encodings: ['zip' as 'br'] })).toThrow(
    /thresholdBytes[^]*encodings/,
  );
});
