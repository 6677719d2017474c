import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withFreePort } from './free-port.ts';
import { GuardedProcess, handOver, waitForLog } from './guarded-process.ts';

export interface PgBouncerOptions {
  /** URL of the database that it stands before. */
  readonly target: string;
  /** @default 'transaction' */
  readonly mode?: 'session' | 'transaction' | 'statement';
  /** More lines for its section [pgbouncer]. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export interface PgBouncer extends AsyncDisposable {
  /** Takes the place of the target's. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a PgBouncer before a database. It ends with this process at the latest; the caller stops it. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-pgbouncer-'));
  handOver(folder);
  try {
    return await withFreePort((port) => startOn(port, folder, options));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startOn(port: number, folder: string, options: PgBouncerOptions): Promise<PgBouncer> {
  const url = new URL(options.target);
  writeFileSync(join(folder, 'users.txt'), `"${decodeURIComponent(url.username)}" ""\n`);
  writeFileSync(join(folder, 'pgbouncer.ini'), iniOf(port, url, options));
  const server = await GuardedProcess.start({
    command: ['pgbouncer', join(folder, 'pgbouncer.ini')],
    folder,
    // Its fast shutdown; SIGINT waits for the clients.
    signal: 'TERM',
  });
  try {
    await waitForLog(folder, 'process up');
  } catch (error) {
    await server.stop({ keep: true });
    throw error;
  }
  url.port = String(port);
  const stop = (): Promise<void> => server.stop();
  return { url: url.href, stop, [Symbol.asyncDispose]: stop };
}

function iniOf(port: number, target: URL, { mode = 'transaction', settings = {} }: PgBouncerOptions): string {
  const server = `host=${target.hostname} port=${target.port} password='${decodeURIComponent(target.password)}'`;
  const lines = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: 'users.txt',
    pool_mode: mode,
    default_pool_size: 10,
    max_client_conn: 200,
    ...settings,
  };
  const text = Object.entries(lines).map(([name, value]) => `${name} = ${value}`);
  return `[databases]\n* = ${server}\n\n[pgbouncer]\n${text.join('\n')}\n`;
}
