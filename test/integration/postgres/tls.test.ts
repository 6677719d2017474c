import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/index.ts';
import { rejection } from '../../fixtures/scratch-database.ts';
import { POSTGRES_PASSWORD, startPostgres, type PostgresServer } from '../../servers/postgres.ts';

/** What the certificate of the server is for. */
const HOST = 'localhost';
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

let folder: string;
let server: PostgresServer;

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
}

function createAuthority(name: string): void {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
  openssl('req', '-x509', ...KEY, '-days', '2', '-subj', `/CN=${name}`, ...files);
}

/** Signed by the authority `ours`. */
function createCertificate(name: string, extension: string): void {
  openssl('req', ...KEY, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  writeFileSync(join(folder, 'extension'), extension);
  const signer = ['-CA', 'ours.crt', '-CAkey', 'ours.key', '-CAcreateserial', '-extfile', 'extension'];
  openssl('x509', '-req', '-days', '2', '-in', `${name}.csr`, '-out', `${name}.crt`, ...signer);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millpond-tls-'));
  // The server runs as another user, and must read the authority of its clients in here.
  chmodSync(folder, 0o755);
  for (const name of ['ours', 'theirs']) createAuthority(name);
  createCertificate('server', `subjectAltName=DNS:${HOST}`);
  createCertificate('client', 'basicConstraints=CA:FALSE');
  const text = (file: string): string => readFileSync(join(folder, file), 'utf8');
  server = await startPostgres({
    tls: { key: text('server.key'), certificate: text('server.crt') },
    auth: 'scram-sha-256',
    settings: { ssl_ca_file: join(folder, 'ours.crt') },
    listenAddresses: '127.0.0.1,::1',
  });
}, 30_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Session {
  readonly ssl: boolean;
  readonly client_dn: string | null;
}

interface Choice {
  readonly sslmode: string;
  readonly host?: string;
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
}

/** Files are named without their folder. */
async function sessionWith({ sslmode, host = HOST, ...files }: Choice): Promise<Session> {
  const url = new URL(server.urlOf('postgres', { host }));
  url.searchParams.set('sslmode', sslmode);
  for (const [name, file] of Object.entries(files)) url.searchParams.set(name, join(folder, file));
  await using db = await openDatabase(url.href, { name: false, log: 'silent' });
  const session = await db.get<Session>(
    'select ssl, client_dn from pg_stat_ssl where pid = pg_backend_pid()',
  );
  // A cancellation goes over a connection of its own, to which the same settings apply.
  const stopped = await rejection(db.value('select pg_sleep(10)::text', [], { timeoutMs: 50 }));
  expect(stopped).toMatchObject({ code: 'ERR_MILLPOND_TIMEOUT', cancellation: 'interrupt' });
  return session!;
}

/** The message of the refusal, in which there is no password. */
async function refusal(choice: Choice): Promise<string> {
  const error = await rejection(sessionWith(choice));
  expect(error).toMatchObject({ code: 'ERR_MILLPOND_CONNECTION', retryable: false });
  expect(`${error.stack} ${String((error.cause as Error | undefined)?.stack)}`).not.toContain(
    POSTGRES_PASSWORD,
  );
  return error.message;
}

describe('a certificate of the server', () => {
  test.each([
    { sslmode: 'allow' },
    { sslmode: 'prefer' },
    { sslmode: 'require' },
    { sslmode: 'require', sslrootcert: 'ours.crt' },
    { sslmode: 'verify-ca', sslrootcert: 'ours.crt' },
    { sslmode: 'verify-ca', sslrootcert: 'ours.crt', host: '127.0.0.1' },
    { sslmode: 'verify-full', sslrootcert: 'ours.crt' },
  ])('is good enough for $sslmode with $sslrootcert', async (choice) => {
    expect(await sessionWith(choice)).toMatchObject({ ssl: true });
  });

  test.each([
    { sslmode: 'require', sslrootcert: 'theirs.crt' },
    { sslmode: 'verify-ca', sslrootcert: 'theirs.crt' },
    { sslmode: 'verify-full', sslrootcert: 'theirs.crt' },
    { sslmode: 'verify-full' },
  ])('of an authority that is not trusted is refused by $sslmode with $sslrootcert', async (choice) => {
    const message = await refusal(choice);
    expect(message).toContain(`on ${HOST}:${server.port} as user "millpond" cannot be connected to`);
    expect(message).toContain('its certificate is signed by nobody who is trusted (sslrootcert');
    expect(message).toContain(choice.sslrootcert ?? 'names the file of those that are');
  });

  test('for another name is refused by verify-full alone', async () => {
    const message = await refusal({ sslmode: 'verify-full', sslrootcert: 'ours.crt', host: '127.0.0.1' });
    expect(message).toContain('its certificate is for another name (host, sslmode)');
  });

  test('cannot be checked with a file that is not one, or that is missing', async () => {
    const missing = await refusal({ sslmode: 'verify-full', sslrootcert: 'missing.crt' });
    expect(missing).toContain(`sslrootcert cannot be read: ${join(folder, 'missing.crt')}`);
    const key = await refusal({ sslmode: 'verify-full', sslrootcert: 'ours.key' });
    expect(key).toContain(`sslrootcert holds no CERTIFICATE in PEM form: ${join(folder, 'ours.key')}`);
  });
});

test('a certificate of the client is shown to the server', async () => {
  const files = { sslrootcert: 'ours.crt', sslcert: 'client.crt', sslkey: 'client.key' };
  expect(await sessionWith({ sslmode: 'verify-full', ...files })).toEqual({
    ssl: true,
    client_dn: '/CN=client',
  });
});

test('the authorities of the system do not vouch for ours', async () => {
  const url = `${server.urlOf('postgres', { host: HOST })}?sslmode=verify-full&sslrootcert=system`;
  const error = await rejection(openDatabase(url, { name: false, log: 'silent' }));
  expect(error.message).toContain(
    'its certificate is signed by nobody who is trusted (sslrootcert is system)',
  );
});
