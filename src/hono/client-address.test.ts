import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { ask } from '../../test/fixtures/node-request.ts';
import { clientAddressBehind, clientNetwork, networkCheck } from './client-address.ts';
import { fc } from '../../test/fixtures/property.ts';

async function addressOf(
  trusted: readonly string[],
  address: string | undefined,
  ...forwarded: string[]
): Promise<string> {
  const clientAddress = clientAddressBehind(trusted);
  const app = new Hono();
  app.get('/', (context) => context.text(String(clientAddress(context))));
  const headers = forwarded.map((value) => ['X-Forwarded-For', value] as const);
  return (await ask(app, { address, headers })).text();
}

describe('the address of a client', () => {
  test('is that of the peer, whatever headers say, where no proxy is named (C65, B18)', async () => {
    expect(await addressOf([], '192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
    expect(await addressOf(['10.0.0.0/8'], '192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
    expect(await addressOf(['10.0.0.0/8'], undefined, '203.0.113.9')).toBe('undefined');
  });

  test('is the last that no named proxy vouches for as one of them', async () => {
    const trusted = ['10.0.0.0/8', 'fd00::/8'];
    const cases: [string | undefined, string[], string][] = [
      ['10.0.0.1', ['203.0.113.9'], '203.0.113.9'],
      ['10.0.0.1', ['1.1.1.1, 203.0.113.9'], '203.0.113.9'],
      ['10.0.0.1', ['1.1.1.1', '203.0.113.9'], '203.0.113.9'],
      ['10.0.0.1', ['203.0.113.9, 10.0.0.7,10.0.0.8'], '203.0.113.9'],
      ['10.0.0.1', ['10.0.0.7, 10.0.0.8'], '10.0.0.7'],
      ['10.0.0.1', [], '10.0.0.1'],
      ['10.0.0.1', [''], '10.0.0.1'],
      ['10.0.0.1', ['203.0.113.9, nonsense'], '10.0.0.1'],
      ['10.0.0.1', ['203.0.113.9, unknown, 10.0.0.7'], '10.0.0.7'],
      ['10.0.0.1', ['203.0.113.9:4711'], '203.0.113.9'],
      ['10.0.0.1', ['[2001:DB8::1]:4711'], '2001:db8::1'],
      ['::ffff:10.0.0.1', ['203.0.113.9'], '203.0.113.9'],
      ['::ffff:a00:1', ['::ffff:cb00:7109'], '203.0.113.9'],
      ['fd00::1%eth0', ['203.0.113.9'], '203.0.113.9'],
      ['10.0.0.1', ['0x7f.1'], '10.0.0.1'],
      ['10.0.0.1', [`${'9.9.9.9, '.repeat(5_000)}203.0.113.9`], '203.0.113.9'],
      ['10.0.0.1', [`203.0.113.9, ${'x'.repeat(10_000)}`], '10.0.0.1'],
    ];
    for (const [peer, forwarded, expected] of cases) {
      expect(
        await addressOf(trusted, peer, ...forwarded),
        `${peer} ${forwarded.join(' | ').slice(0, 80)}`,
      ).toBe(expected);
    }
  });

  test('cannot be chosen by a client, whatever it writes before what the proxy writes', async () => {
    const invented = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 20 })), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(invented, async (entries) => {
        const sent = entries.join(', ').replaceAll(/[^\x20-\x7e]/g, '');
        expect(await addressOf(['10.0.0.1'], '10.0.0.1', `${sent}, 203.0.113.9`)).toBe('203.0.113.9');
      }),
      { numRuns: 100 },
    );
  });
});

describe('who counts as one client (C65)', () => {
  test('an IPv4 address, also as IPv6 shows it: two of them are two (CVE-2026-30827)', () => {
    expect(clientNetwork('192.0.2.1')).toBe('192.0.2.1');
    expect(clientNetwork('192.0.2.2')).toBe('192.0.2.2');
  });

  test('the /64 of an IPv6 address, however it is written', () => {
    const one = ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::', '2001:0DB8:0001:2:ffff:ffff:ffff:ffff'];
    expect(new Set(one.map(clientNetwork))).toEqual(new Set(['2001:db8:1:2::/64']));
    expect(clientNetwork('2001:db8:1:3::1')).toBe('2001:db8:1:3::/64');
    expect(clientNetwork('::1')).toBe('0:0:0:0::/64');
  });

  test('an IPv4 address behind a translator is one client, not all of them (C65)', () => {
    const one = clientNetwork('64:ff9b::192.0.2.1');
    expect(clientNetwork('64:FF9B::c000:201')).toBe(one);
    expect(clientNetwork('64:ff9b::192.0.2.2')).not.toBe(one);
    expect(clientNetwork('64:ff9b:0:1::1')).toBe('64:ff9b:0:1::/64');
  });

  test('is the same for all addresses of a /64, and for no others', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, groups, (a, b) => {
        const write = (all: readonly number[]) => all.map((group) => group.toString(16)).join(':');
        const same = [...a.slice(0, 4), ...b.slice(4)];
        expect(clientNetwork(write(a))).toBe(clientNetwork(write(same)));
        const isOther = a.slice(0, 4).some((group, at) => group !== b[at]);
        expect(clientNetwork(write(a)) !== clientNetwork(write(b))).toBe(isOther);
      }),
    );
  });
});

test('networks are addresses with or without a length', () => {
  for (const right of ['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8'])
    expect(networkCheck(right)).toBeUndefined();
  for (const wrong of [
    '',
    'localhost',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '*',
    5,
    undefined,
  ]) {
    expect(networkCheck(wrong), String(wrong)).toContain('must be an IP address');
  }
});
