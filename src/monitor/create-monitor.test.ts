import { beforeEach, describe, expect, test } from 'vitest';
import {
  ask,
  AS_PAGE,
  bearer,
  monitorStage,
  TOKEN,
  type MonitorStage,
} from '../../test/fixtures/monitor-stage.ts';

let fake: MonitorStage['fake'];
let metrics: MonitorStage['metrics'];
let create: MonitorStage['create'];
beforeEach(() => {
  ({ fake, metrics, create } = monitorStage());
});

describe('every page and endpoint (C70)', () => {
  const PATHS = [
    '',
    '/',
    '/assets/style.css',
    '/assets/uplot.js',
    '/assets/uplot.css',
    '/assets/client.ts',
    '/assets/icon.svg',
    '/events',
    '/state',
    '/history',
    '/metrics',
    '/performance',
    '/slowest',
    '/performance/slowest',
    '/most-used',
    '/performance/most-used',
    '/reset-performance',
    '/queries',
    '/queries/plan',
    '/transactions',
    '/pool',
    '/health',
    '/cache',
    '/cache/clear',
    '/cache/cleanup',
  ];
  const TRICKS = [
    '/../monitoring/pool',
    '/./pool',
    '//pool',
    '/pool/',
    '/pool//',
    '/%70ool',
    '/pool%2f',
    '/pool;x',
    '/POOL',
    '/assets/../state',
    '/assets/..%2fstate',
    '/constructor',
    '/__proto__',
    '/assets/client.ts/../../state',
    '/pool\\',
  ];
  const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];

  test('without the right token says nothing, by any method and any path', async () => {
    const monitor = create();
    fake.ran('select * from the_canary');
    const headers: Record<string, string>[] = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: 'Basic wrong' },
      { cookie: TOKEN },
    ];
    for (const path of [...PATHS, ...TRICKS]) {
      for (const method of METHODS) {
        for (const given of headers) {
          const url = `/monitoring${path}?token=${TOKEN}`;
          const refused = await ask(monitor, url, {
            method,
            headers: { ...AS_PAGE, ...given },
          });
          expect([path, method, refused.status]).toEqual([path, method, 401]);
          expect(refused.text).not.toContain('canary');
        }
      }
    }
  });

  test('goes out with headers that keep it to itself', async () => {
    const monitor = create();
    const about = [...PATHS, ...TRICKS, '/nowhere'].map((path) => ask(monitor, `/monitoring${path}`));
    for (const { headers } of [...(await Promise.all(about)), await ask(monitor, '/', { headers: {} })]) {
      expect(headers.get('cache-control')).toBe('no-store, no-transform');
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self';/,
      );
      expect(headers.get('content-security-policy')).not.toContain('unsafe');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  test('is only where it is, and only by its methods', async () => {
    const monitor = create();
    for (const path of [
      '/nowhere',
      '//pool',
      '/constructor',
      '/__proto__',
      '/pool/x',
      '/POOL',
      '/assets/page.ts',
    ])
      expect((await ask(monitor, `/monitoring${path}`)).status).toBe(404);
    for (const path of ['/', '/monitoringx/pool', '/pool'])
      expect((await ask(monitor, path)).status).toBe(404);
    const wrong = await ask(monitor, '/monitoring/cache/clear');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS'])
      expect((await ask(monitor, '/monitoring/pool', { method })).status).toBe(405);
  });

  test('names no place outside itself, and holds no inline script or style', async () => {
    const { text } = await ask(create(), '/monitoring');
    expect(text).not.toMatch(/https?:|\/\/[a-z]|style=|<style|<script>|javascript:|\son[a-z]+="/);
  });

  test.each([
    ['/monitoring', ''],
    ['/monitoring/', ''],
    ['/admin/db', ''],
    // What a proxy put before it is in the browser's address, and never arrives here.
    ['/monitoring', '/ops/shop'],
    ['/monitoring/', '/ops/shop'],
  ])('finds what it loads from %s, behind a proxy that takes "%s" away', async (path, prefix) => {
    const monitor = create({ token: TOKEN, basePath: path.replace(/\/$/, '') });
    const { text } = await ask(monitor, path);
    const links = [...text.matchAll(/(?:src|href|data-base)="([^#"]*)"/g)].map(([, link]) => link!);
    expect(links.length).toBeGreaterThan(5);
    for (const link of links) {
      const { pathname } = new URL(link, `http://app.test${prefix}${path}`);
      expect(pathname.startsWith(`${prefix}${monitor.basePath}`)).toBe(true);
      const behind = pathname.slice(prefix.length);
      expect([behind, (await ask(monitor, behind)).status]).toEqual([behind, 200]);
    }
  });
});

describe('a change', () => {
  test.each([
    ['without the header', { origin: 'http://app.test' }],
    ['from another origin', { ...AS_PAGE, origin: 'http://evil.test' }],
    ['from no origin in particular', { ...AS_PAGE, origin: 'null' }],
    ['from another site', { ...AS_PAGE, 'sec-fetch-site': 'cross-site' }],
    ['from a sister site', { ...AS_PAGE, 'sec-fetch-site': 'same-site' }],
    ['from another port', { ...AS_PAGE, origin: 'http://app.test:81' }],
  ])('%s is refused', async (_, headers: Record<string, string>) => {
    const monitor = create();
    metrics.recordRequest({ route: 'GET /', durationMs: 1, failed: false, thresholdMs: 0 });
    for (const path of ['/reset-performance', '/cache/clear', '/cache/cleanup', '/queries/plan']) {
      const refused = await ask(monitor, `/monitoring${path}`, {
        method: 'POST',
        headers: { ...headers, ...bearer },
      });
      expect(refused.status).toBe(403);
    }
    expect(metrics.snapshot().routes).toHaveLength(1);
  });

  test('by the page, or by a program with the header, is made', async () => {
    const monitor = create();
    for (const headers of [
      { ...AS_PAGE, 'sec-fetch-site': 'same-origin' },
      { 'x-millpond-monitor': '1' },
      { ...AS_PAGE, origin: 'https://app.test' },
      // A browser's, through a proxy that passes its own host on, or no port.
      { ...AS_PAGE, origin: 'https://public.test:8443', 'sec-fetch-site': 'same-origin' },
    ]) {
      metrics.recordRequest({ route: 'GET /', durationMs: 1, failed: false, thresholdMs: 0 });
      const made = await ask(monitor, '/monitoring/reset-performance', {
        method: 'POST',
        headers: { ...headers, ...bearer },
      });
      expect([made.status, made.json()]).toEqual([200, { reset: true }]);
      expect(metrics.snapshot().routes).toEqual([]);
    }
  });
});
