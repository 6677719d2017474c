import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { ask } from '../../test/fixtures/node-request.ts';
import { answerErrors } from './answer-errors.ts';
import { trustedHosts } from './trusted-hosts.ts';

const app = new Hono();
app.onError(answerErrors());
app.use(
  trustedHosts(['api.example.com', '*.example.org', 'localhost:3000', '[::1]', 'xn--bcher-kva.example']),
);
app.get('*', (context) => context.text('served'));

async function statusOf(host: string | readonly string[] | undefined, target = '/'): Promise<number> {
  const hosts = host === undefined ? [] : [host].flat();
  return (await ask(app, { target, headers: hosts.map((one) => ['Host', one] as const) })).status;
}

describe('hosts (M4, C66)', () => {
  test.each([
    'api.example.com',
    'API.Example.COM',
    'api.example.com:8443',
    'a.example.org',
    'a.b.example.org:80',
    'localhost:3000',
    '[::1]:3000',
    'xn--bcher-kva.example',
  ])('%s is served', async (host) => {
    expect(await statusOf(host)).toBe(200);
  });

  test.each([
    undefined,
    '',
    'example.com',
    'example.org',
    '.example.org',
    'api.example.com.',
    'api.example.com.evil.test',
    'evil-api.example.com',
    'x.api.example.com',
    'evilexample.org',
    'example.org.evil.test',
    'a.example.org.',
    'localhost',
    'localhost:3001',
    'api.example.com:',
    'api.example.com:80:80',
    'api.example.com:port',
    'api.example.com@evil.test',
    'evil.test@api.example.com',
    'api.example.com/evil',
    'api.example.com?.example.org',
    'evil.test#.example.org',
    'evil.test\\.example.org',
    'evil.test%00.example.org',
    'evil.test .example.org',
    'api.example.com, evil.test',
    'bücher.example',
    '[::2]',
    '::1',
    '127.0.0.1',
    '-.example.org',
    `${'a.'.repeat(130)}example.org`,
  ])('%j is not', async (host) => {
    // Headers cannot carry letters beyond Latin-1; what cannot be sent cannot be asked.
    expect(await statusOf(host)).toBe(400);
  });

  test('two of them are refused, and a target that says another one', async () => {
    expect(await statusOf(['api.example.com', 'api.example.com'])).toBe(400);
    expect(await statusOf(['api.example.com', 'evil.test'])).toBe(400);
    expect(await statusOf('api.example.com', 'http://api.example.com/x')).toBe(200);
    expect(await statusOf('api.example.com', 'http://evil.test/x')).toBe(400);
    expect(await statusOf('evil.test', 'http://api.example.com/x')).toBe(400);
    expect(await statusOf('api.example.com', 'http://api.example.com@evil.test/')).toBe(400);
    expect(await statusOf('api.example.com', 'evil.test:443')).toBe(400);
    expect(await statusOf(undefined, 'http://api.example.com/')).toBe(400);
  });

  test('the answer does not repeat what was asked for', async () => {
    const response = await ask(app, { headers: [['Host', 'evil.test']] });
    expect(await response.text()).not.toContain('evil');
  });
});

test('a list with what is no host, or with nothing, is refused at the start', () => {
  const wrong = ['http://example.com', '*', '*.*.example.com', 'exa mple.com', 'example.com/', 'a..b', ''];
  for (const host of wrong)
    expect(() => trustedHosts(['example.com', host]), host).toThrow(/trustedHosts\[1\]/);
  expect(() => trustedHosts([])).toThrow(/at least one host/);
});
