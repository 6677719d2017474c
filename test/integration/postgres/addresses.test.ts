import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { rejection } from '../../fixtures/scratch-database.ts';
import { startPostgres, type PostgresServer } from '../../servers/postgres.ts';

/** Names that every part of a URL must escape. */
const USER = 'us/er@ä';
const PASSWORD = 'p@ss:w/o?r#d%20 "\'';
const DATABASE = 'shop?eu #1';

let folder: string;
let server: PostgresServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millpond-tls-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', ...made, ...subject, '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
  const tls = { key: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') };
  server = await startPostgres({ tls, auth: 'scram-sha-256', listenAddresses: '127.0.0.1,::1' });
  const client = new Client({ connectionString: server.url });
  await client.connect();
  await client.query(
    `create role ${client.escapeIdentifier(USER)} login password ${client.escapeLiteral(PASSWORD)}`,
  );
  await client.query(
    `create database ${client.escapeIdentifier(DATABASE)} owner ${client.escapeIdentifier(USER)}`,
  );
  await client.end();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function urlOf({ host = '127.0.0.1', query = '', password = PASSWORD } = {}): string {
  const [user, secret, name] = [USER, password, DATABASE].map(encodeURIComponent);
  return `postgres://${user}:${secret}@${host}:${server.port}/${name}${query}`;
}

async function opened<T>(url: string, work: (db: Database) => Promise<T>): Promise<T> {
  await using db = await openDatabase({ url, name: false, log: 'silent' });
  return await work(db);
}

const WHO =
  'select current_user as me, current_database() as db, (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as tls';

describe('addresses', () => {
  test('may have any character in user, password and database', async () => {
    const row = await opened(urlOf(), (db) => db.get<{ me: string; db: string }>(WHO));
    expect(row).toMatchObject({ me: USER, db: DATABASE });
  });

  test('may be of IPv6', async () => {
    const address = await opened(urlOf({ host: '[::1]' }), (db) =>
      db.value<string>('select host(inet_server_addr())'),
    );
    expect(address).toBe('::1');
  });

  test('with a wrong password are refused without repeating it', async () => {
    const wrong = 'not-the-Password-1';
    const error = await rejection(
      openDatabase({ url: urlOf({ password: wrong }), name: false, log: 'silent' }),
    );
    expect(error.message).toContain('authentication failed');
    expect(`${error.stack} ${String(error.cause)} ${JSON.stringify(error)}`).not.toContain(wrong);
  });
});

describe('TLS', () => {
  const tlsOf = (query: string, host?: string): Promise<boolean | undefined> =>
    opened(
      urlOf({ query, ...(host === undefined ? {} : { host }) }),
      async (db) => (await db.get<{ tls: boolean }>(WHO))?.tls,
    );
  const rootOf = (): string => encodeURIComponent(join(folder, 'certificate.pem'));

  test('is used when it is required, and not when it is disabled', async () => {
    expect(await tlsOf('?sslmode=require')).toBe(true);
    expect(await tlsOf('?sslmode=disable')).toBe(false);
  });

  test('checks the name of the server, and who vouches for it', async () => {
    expect(await tlsOf(`?sslmode=verify-full&sslrootcert=${rootOf()}`, 'localhost')).toBe(true);
    const unknown = await rejection(tlsOf('?sslmode=verify-full', 'localhost'));
    expect(unknown).toMatchObject({ code: 'ERR_MILLPOND_CONNECTION' });
    const misnamed = await rejection(tlsOf(`?sslmode=verify-full&sslrootcert=${rootOf()}`, '127.0.0.1'));
    expect(misnamed).toMatchObject({ code: 'ERR_MILLPOND_CONNECTION' });
  });

  test('carries cancellations and COPY too', async () => {
    await opened(urlOf({ query: '?sslmode=require' }), async (db) => {
      const error = await rejection(db.value('select pg_sleep(5)', [], { timeoutMs: 50 }));
      expect(error).toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT', cancellation: 'interrupt' });
      let bytes = 0;
      for await (const piece of db.copyOut('copy (select * from generate_series(1, 100000)) to stdout'))
        bytes += piece.length;
      expect(bytes).toBe(588_895);
      expect(await db.value('select 1')).toBe(1);
    });
  });
});
