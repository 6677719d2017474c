import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ask, bearer, monitorStage, TOKEN, type MonitorStage } from '../../test/fixtures/monitor-stage.ts';
import { ConfigError } from '../errors/index.ts';
import { resolveMonitorOptions, type MonitorOptions } from './monitor-options.ts';

let database: MonitorStage['database'];
let metrics: MonitorStage['metrics'];
let create: MonitorStage['create'];
beforeEach(() => {
  ({ database, metrics, create } = monitorStage());
});

describe('a monitor is closed by default (B18)', () => {
  const options = (given: Partial<MonitorOptions>, environment: Record<string, string> = {}) =>
    resolveMonitorOptions({ databases: [database], metrics, ...given }, environment);

  test('does not start open, in production not even on request', () => {
    expect(() => options({})).toThrow(ConfigError);
    expect(() => options({}, { NODE_ENV: 'production' })).toThrow('token');
    expect(() => options({ open: true }, { NODE_ENV: 'production' })).toThrow('refused where NODE_ENV is');
    expect(options({ open: true }).open).toBe(true);
    vi.stubEnv('NODE_ENV', 'production');
    expect(() => create({ open: true })).toThrow(ConfigError);
  });

  test('takes its token from the environment, unless something else was decided', () => {
    const environment = { MILLPOND_MONITOR_TOKEN: TOKEN };
    expect(options({}, environment).token).toBe(TOKEN);
    expect(options({ authorize: () => true }, environment).token).toBeUndefined();
    expect(options({ open: true }, environment).token).toBeUndefined();
  });

  test('refuses what protects nothing, and what contradicts itself', () => {
    expect(() => options({ token: 'short' })).toThrow('at least 16 characters');
    expect(() => options({ token: TOKEN, open: true })).toThrow('exclude each other');
    expect(() => options({ token: 'secret', basePath: 'x', sampleMs: 1, maxClient: 1 } as never)).toThrow(
      /4 faults[^]*Did you mean "maxClients"/,
    );
    expect(() => options({ token: 'secret' })).not.toThrow('secret');
    for (const wrong of [`${TOKEN}\n`, ` ${TOKEN}`, ' '.repeat(20)])
      expect(() => options({ token: wrong })).toThrow('at its start or end');
    for (const basePath of ['/a/../b', '/.', '/a/..', '/'])
      expect(() => options({ token: TOKEN, basePath })).toThrow('basePath');
    expect(options({ token: TOKEN, basePath: '/.ops/a..b' }).basePath).toBe('/.ops/a..b');
  });
});

describe('the guard of the monitor', () => {
  test('sends the token, as a bearer or as the password of a browser', async () => {
    const monitor = create();
    const basic = (user: string) => `Basic ${Buffer.from(`${user}:${TOKEN}`).toString('base64')}`;
    for (const authorization of [bearer.authorization, `bearer ${TOKEN}`, basic(''), basic('someone')]) {
      expect((await ask(monitor, '/monitoring/pool', { headers: { authorization } })).status).toBe(200);
    }
    const wrong = [
      '',
      'Bearer',
      `Bearer ${TOKEN}x`,
      `Token ${TOKEN}`,
      'Basic !!!',
      `Basic ${TOKEN}`,
      'Basic Og==',
    ];
    for (const authorization of wrong) {
      const refused = await ask(monitor, '/monitoring/pool', { headers: { authorization } });
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toMatch(/^Basic /);
    }
  });

  test('is asked of the application, whose doubt is a no', async () => {
    const answers: [unknown, number][] = [
      [true, 200],
      [false, 403],
      [Promise.resolve(true), 200],
      [Promise.resolve(false), 403],
      ['yes', 403],
    ];
    for (const [answer, status] of answers) {
      const monitor = create({ authorize: () => answer as boolean });
      expect((await ask(monitor, '/monitoring/pool')).status).toBe(status);
    }
    const failing = create({ authorize: () => Promise.reject(new Error('down')) });
    expect((await ask(failing, '/monitoring/pool')).status).toBe(403);
  });

  test('when it is open, comes from this machine, where the server says who asks', async () => {
    const monitor = create({ open: true });
    const from = async (client?: string): Promise<number> =>
      (await monitor.handle(new Request('http://localhost/monitoring/pool'), client)).status;
    for (const near of [undefined, '127.0.0.1', '127.0.0.5', '::1']) expect(await from(near)).toBe(200);
    for (const far of ['192.0.2.1', '10.0.0.1', '::2', '2001:db8::1', '']) expect(await from(far)).toBe(403);
  });

  test('when it is open, comes as localhost: another name may have been made to lead here', async () => {
    const monitor = create({ open: true });
    const as = async (host: string) => (await ask(monitor, '/monitoring/pool', { headers: { host } })).status;
    for (const host of ['localhost', 'localhost:3000', '127.0.0.1:80', '[::1]:3000'])
      expect(await as(host)).toBe(200);
    for (const host of ['app.test', 'localhost.evil.test', '10.0.0.1', 'x:y:z'])
      expect(await as(host)).toBe(403);
  });
});
