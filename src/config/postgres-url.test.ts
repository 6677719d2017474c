import { describe, expect, it } from 'vitest';
import { isPostgresUrl, parsePostgresUrl, type PostgresAddress } from './postgres-url.ts';

function parse(url: string): PostgresAddress {
  const parsed = parsePostgresUrl(url);
  if ('fault' in parsed) throw new Error(parsed.fault);
  return parsed.value;
}

describe('an address of PostgreSQL', () => {
  it('names host, port, user, password and database', () => {
    const { target } = parse('postgres://app:pw@db.example:6432/main');
    expect(target).toMatchObject({
      host: 'db.example',
      port: 6432,
      user: 'app',
      database: 'main',
      parameters: {},
    });
    expect(target.password?.reveal()).toBe('pw');
    expect(target.url).toBe('postgres://app:***@db.example:6432/main');
    expect(Object.isFrozen(target)).toBe(true);
  });

  it('has a port, and may have no password', () => {
    const { target } = parse('postgresql://app@db/main');
    expect(target.port).toBe(5_432);
    expect(target.password).toBeUndefined();
  });

  it('takes any character of a password in its encoded form', () => {
    const password = '@:/?#%[] &+é"\'\\';
    const { target } = parse(`postgres://app:${encodeURIComponent(password)}@db/main`);
    expect(target.password?.reveal()).toBe(password);
  });

  it.each([
    ['[::1]', '::1'],
    ['[2001:db8::7]:5432', '2001:db8::7'],
    ['127.0.0.1', '127.0.0.1'],
    ['%2Fvar%2Frun%2Fpostgresql', '/var/run/postgresql'],
  ])('takes %s for the host %s', (written, host) => {
    expect(parse(`postgres://app:pw@${written}/main`).target.host).toBe(host);
  });

  it('keeps the parameters that are PostgreSQL’s and hands the others on', () => {
    const { target, parameters } = parse('postgres://app@db/main?sslmode=require&pool_max=4');
    expect(target.parameters).toEqual({ sslmode: 'require' });
    expect(parameters).toEqual([['pool_max', '4']]);
  });

  it.each([
    ['postgres://app:CAN@ARY#x@db/main', '%40'],
    ['postgres://app:1#CANARY@db/main', '%23'],
    ['postgres://app:1/CANARY@db/main', '%2F'],
    ['postgres://app:1?CANARY@db/main', '%3F'],
    ['postgres://app:CAN/ARY@db/main', 'postgres://user:password@host'],
    ['postgres://app:CAN%ARY@db/main', '%25'],
    ['postgres://app:CANARY@db:99999/main', 'postgres://user:password@host'],
    ['postgres://app:CANARY@db:0/main', 'a port is a number from 1 to 65535'],
    ['postgres://app:CANARY@db', 'no database'],
    ['postgres://app:CANARY@db/', 'no database'],
    ['postgres://app:CANARY@db/main/more', 'more than one /'],
    ['postgres://db/main', 'no user'],
    ['postgres:///main', 'no user'],
    ['postgres://app:CANARY@/main', 'postgres://user:password@host'],
    ['postgres://app:CANARY@a,b/main', 'name one host'],
    ['postgres:main', 'postgres://user:password@host'],
    ['postgres://', 'no user'],
  ])('%s is refused without showing the password', (url, fault) => {
    const parsed = parsePostgresUrl(url) as { fault: string };
    expect(parsed.fault).toContain(fault);
    expect(parsed.fault).not.toMatch(/CAN|ARY/);
  });

  it.each([
    ['postgres://db', true],
    ['POSTGRESQL://db', true],
    ['postgresx://db', false],
    ['sqlite:postgres', false],
  ])('%s: %s', (url, is) => {
    expect(isPostgresUrl(url)).toBe(is);
  });
});
