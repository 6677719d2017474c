import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { withFreePort } from './free-port.ts';
import { GuardedProcess, handOver, logOf, runUnprivileged, waitForLog } from './guarded-process.ts';
import { postgresPrograms, type PostgresVersion } from './postgres-programs.ts';

const POSTGRES_USER = 'millpond';
/** With characters that a URL must escape. */
export const POSTGRES_PASSWORD = 'p@ss/w:rd#%';

export interface PostgresOptions {
  /** 18 comes from npm, 15 from Debian. @default 18 */
  readonly version?: PostgresVersion;
  /** Lines for postgresql.conf, over the fast ones of tests: `{ fsync: 'on' }` where durability is tested. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Streaming replicas of it, started with it. @default 0 */
  readonly replicas?: number;
  /** Whether the password is asked for. @default 'trust' */
  readonly auth?: 'trust' | 'scram-sha-256';
  /** Names that it listens on. @default '127.0.0.1' */
  readonly listenAddresses?: string;
  /** Key and certificate as PEM text: connections over TLS are possible then. */
  readonly tls?: { readonly key: string; readonly certificate: string };
}

/** An acknowledged commit survives a killed server, not a power cut. */
const FAST_SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  shared_buffers: '32MB',
  max_connections: 120,
  max_wal_size: '256MB',
  max_wal_senders: 10,
  max_prepared_transactions: 10,
  hot_standby: 'on',
  unix_socket_directories: '',
  log_checkpoints: 'off',
  track_commit_timestamp: 'on',
};

/** Starts a PostgreSQL of its own, which ends with this process at the latest. The caller stops it. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { version = 18, replicas = 0, auth = 'trust' } = options;
  const programs = postgresPrograms(version);
  const folder = newFolder();
  try {
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, POSTGRES_PASSWORD);
    const data = join(folder, 'data');
    const choices = ['-U', POSTGRES_USER, '-A', auth, '--pwfile', passwordFile, '--locale=C', '-E', 'UTF8'];
    await runUnprivileged([join(programs, 'initdb'), '-D', data, '--no-sync', ...choices], folder);
    configure(folder, options);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  // Copied before it first ran, a replica has the same identity and all of the log to come.
  const copies: string[] = [];
  for (let count = 0; count < replicas; count++) copies.push(await copyOf(folder));
  const server = new PostgresServer(programs, folder);
  try {
    await server.start();
    for (const [index, copy] of copies.entries()) {
      server.replicas.push(await startReplica(server, { programs, copy, name: `replica${index + 1}` }));
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

export class PostgresServer implements AsyncDisposable {
  /** The folder of its data, its log and its configuration. */
  readonly folder: string;
  readonly replicas: PostgresServer[] = [];
  readonly #programs: string;
  #port: number | undefined;
  #process: GuardedProcess | undefined;
  #databases = 0;

  constructor(programs: string, folder: string) {
    this.#programs = programs;
    this.folder = folder;
  }

  /** The same after a restart. */
  get port(): number {
    return this.#port!;
  }

  /** Of the postmaster. */
  get pid(): number {
    return this.#process!.pid;
  }

  /** Of its superuser, in the database `postgres`. */
  get url(): string {
    return this.urlOf('postgres');
  }

  urlOf(database: string, login: { readonly user?: string; readonly host?: string } = {}): string {
    const { user = POSTGRES_USER, host = '127.0.0.1' } = login;
    const [name, password, path] = [user, POSTGRES_PASSWORD, database].map(encodeURIComponent);
    return `postgres://${name}:${password}@${host}:${this.port}/${path}`;
  }

  /** A new, empty database. @returns its URL */
  async createDatabase(name = `test_${process.pid}_${++this.#databases}`): Promise<string> {
    await this.query(`create database "${name.replaceAll('"', '""')}"`);
    return this.urlOf(name);
  }

  /** Runs a statement beside the code under test, on a connection of its own, in the database `postgres`. */
  async query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: this.url });
    // A server that is killed meanwhile rejects the query; the event says it once more.
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** After `halt`, or for the first time: on the same port and the same data. */
  async start(): Promise<void> {
    if (this.#port !== undefined) return this.#startOn(this.#port);
    await withFreePort(async (port) => {
      await this.#startOn(port);
      this.#port = port;
    });
  }

  /** Stops it so that it can be started again. `immediate` is a crash: no connection is told, no data is flushed. */
  async halt(how: 'fast' | 'immediate' | 'kill' = 'immediate'): Promise<void> {
    const signal = { fast: 'INT', immediate: 'QUIT', kill: 'KILL' }[how];
    const processes = childrenOf(this.pid);
    await this.#process?.stop({ keep: true, signal });
    // A killed postmaster takes nobody along: its processes notice, each in its own time, and answer until then.
    await areGone(processes);
  }

  /** Makes a replica a primary. */
  async promote(): Promise<void> {
    await this.query('select pg_promote(true)');
  }

  log(): string {
    return logOf(this.folder);
  }

  /** Ends it and its replicas, and removes all they wrote. */
  async stop(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.stop()));
    await this.#process?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #startOn(port: number): Promise<void> {
    const said = this.log().length;
    this.#process = await GuardedProcess.start({
      command: [join(this.#programs, 'postgres'), '-D', join(this.folder, 'data'), '-p', `${port}`],
      folder: this.folder,
      signal: 'QUIT',
    });
    try {
      // A primary accepts connections, a replica read-only connections.
      await waitForLog(this.folder, 'database system is ready to accept', said);
    } catch (error) {
      await this.halt();
      throw error;
    }
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the fourth field is the parent. */
function childrenOf(parent: number): number[] {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return all.filter((pid) => statOf(pid)?.[1] === `${parent}`);
}

async function areGone(processes: readonly number[]): Promise<void> {
  const deadline = performance.now() + 20_000;
  const isThere = (pid: number): boolean => !['Z', 'X', undefined].includes(statOf(pid)?.[0]);
  while (processes.some(isThere)) {
    if (performance.now() > deadline) throw new Error('processes of the server outlive it');
    await sleep(10);
  }
}

/** State and parent of a process; undefined where there is none. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-postgres-'));
  handOver(folder);
  return folder;
}

function configure(folder: string, options: PostgresOptions): void {
  const { settings, listenAddresses = '127.0.0.1', tls, auth = 'trust' } = options;
  const all: Record<string, string | number> = {
    ...FAST_SETTINGS,
    listen_addresses: listenAddresses,
    ...settings,
  };
  if (tls) {
    for (const [file, text] of Object.entries({ 'server.key': tls.key, 'server.crt': tls.certificate })) {
      writeFileSync(join(folder, 'data', file), text, { mode: 0o600 });
      handOver(join(folder, 'data', file));
    }
    all['ssl'] = 'on';
  }
  appendFileSync(join(folder, 'data', 'postgresql.conf'), settingLines(all));
  // initdb writes addresses of this machine only for 127.0.0.1/32 and ::1/128, which is all that is listened on.
  appendFileSync(join(folder, 'data', 'pg_hba.conf'), `host all all samehost ${auth}\n`);
}

function settingLines(settings: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`,
  );
  return lines.join('');
}

async function copyOf(folder: string): Promise<string> {
  const copy = newFolder();
  await runUnprivileged(['cp', '-Rp', join(folder, 'data'), copy], copy);
  return copy;
}

async function startReplica(
  primary: PostgresServer,
  { programs, copy, name }: { programs: string; copy: string; name: string },
): Promise<PostgresServer> {
  const data = join(copy, 'data');
  await runUnprivileged(['touch', join(data, 'standby.signal')], copy);
  const source = {
    host: '127.0.0.1',
    port: primary.port,
    user: POSTGRES_USER,
    password: POSTGRES_PASSWORD,
    application_name: name,
  };
  const link = Object.entries(source).map(([key, value]) => `${key}='${value}'`);
  appendFileSync(join(data, 'postgresql.conf'), settingLines({ primary_conninfo: link.join(' ') }));
  const replica = new PostgresServer(programs, copy);
  await replica.start();
  await isStreaming(primary, name);
  return replica;
}

async function isStreaming(primary: PostgresServer, name: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  const text = "select 1 from pg_stat_replication where application_name = $1 and state = 'streaming'";
  while ((await primary.query(text, [name])).length === 0) {
    if (performance.now() > deadline) throw new Error(`${name} does not follow its primary`);
    await sleep(20);
  }
}
