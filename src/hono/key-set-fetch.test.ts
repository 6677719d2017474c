import { beforeEach, describe, expect, test } from 'vitest';
import { KeySetError, KeySetFetch } from './key-set-fetch.ts';

const SET = JSON.stringify({ keys: [] });
const INIT = { signal: new AbortController().signal, headers: new Headers() };

let now: number;
let fetches: number;
let answer: () => Response;
let source: KeySetFetch;
beforeEach(() => {
  [now, fetches] = [0, 0];
  answer = () => new Response(SET);
  source = new KeySetFetch({
    now: () => now,
    fetch: async () => {
      fetches += 1;
      return answer();
    },
  });
});

const load = async (): Promise<string> => (await source.fetch('https://issuer.test/keys', INIT)).text();

describe('a key set (C69)', () => {
  test('comes as it is', async () => {
    expect(await load()).toBe(SET);
  });

  test.each<[string, () => Response]>([
    ['an error', () => new Response('no', { status: 500 })],
    ['a redirect', () => new Response(null, { status: 302, headers: { Location: 'http://evil.test' } })],
    ['what is no JSON', () => new Response('<html>')],
    ['another JSON', () => new Response('null')],
    ['keys that are no list', () => new Response('{"keys":{}}')],
    ['ten megabytes', () => new Response(new Uint8Array(10_000_000))],
    [
      'a body that never ends',
      () => new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65_536)) })),
    ],
  ])('that is %s is refused, and left alone for a while', async (_name, wrong) => {
    answer = wrong;
    await expect(load()).rejects.toThrow(KeySetError);
    for (let count = 0; count < 100; count += 1) await expect(load()).rejects.toThrow(KeySetError);
    expect(fetches).toBe(1);
    now += 5_000;
    answer = () => new Response(SET);
    expect(await load()).toBe(SET);
    expect(fetches).toBe(2);
  });

  test('that came before serves for an hour when no newer one can be had', async () => {
    await load();
    answer = () => new Response(null, { status: 503 });
    now += 3_599_999;
    expect(await load()).toBe(SET);
    now += 5_000;
    await expect(load()).rejects.toThrow(KeySetError);
  });
});
