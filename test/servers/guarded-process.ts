import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Servers refuse to run as root: then they run as `nobody`, who is on every Linux; else as whoever asks. */
const NOBODY = 65_534;
const UNPRIVILEGED: { readonly uid?: number; readonly gid?: number } =
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/**
 * Stands between us and the server. It reads one order from us; when we die without giving one, however we die, it
 * reads the end of the pipe instead, stops the server and removes the folder. A server that ignores the signal for
 * ten seconds is killed.
 */
const GUARD = `
"$@" </dev/null >>"$FOLDER/log" 2>&1 &
server=$!
echo $server
read -r order signal
kill -s "\${signal:-$SIGNAL}" $server 2>/dev/null
kill -s CONT $server 2>/dev/null
( i=0; while [ $i -lt 100 ] && kill -0 $server 2>/dev/null; do sleep 0.1; i=$((i + 1)); done
  kill -s KILL $server 2>/dev/null ) >/dev/null 2>&1 &
wait $server
[ "$order" = keep ] || rm -rf "$FOLDER"
exit 0
`;

export interface GuardedOptions {
  readonly command: readonly [string, ...string[]];
  /** Holds all that the server writes, its log included. Removed with it. */
  readonly folder: string;
  /** Ends the server at once. */
  readonly signal: 'INT' | 'QUIT' | 'TERM';
  readonly env?: Readonly<Record<string, string>>;
}

/** A server that cannot outlive the process that started it. */
export class GuardedProcess {
  /** Of the server, not of its guard. */
  readonly pid: number;
  readonly #guard: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<unknown>;

  private constructor(guard: ChildProcessByStdio<Writable, Readable, null>, pid: number) {
    this.pid = pid;
    this.#guard = guard;
    this.#ended = once(guard, 'exit');
  }

  static async start({ command, folder, signal, env }: GuardedOptions): Promise<GuardedProcess> {
    const guard = spawn('sh', ['-c', GUARD, 'guard', ...command], {
      ...UNPRIVILEGED,
      cwd: folder,
      env: { ...process.env, ...env, FOLDER: folder, SIGNAL: signal },
      stdio: ['pipe', 'pipe', 'inherit'],
      // Away from the terminal's Ctrl-C: the guard lives a moment longer than we do.
      detached: true,
    });
    const [pid] = (await once(createInterface(guard.stdout), 'line')) as [string];
    const guarded = new GuardedProcess(guard, Number(pid));
    guard.unref();
    for (const pipe of [guard.stdin, guard.stdout]) (pipe as unknown as { unref(): void }).unref();
    return guarded;
  }

  /** Ends the server, and waits for it. @param keep leaves the folder where it is, so that it can be started again */
  async stop({ keep = false, signal = '' }: { keep?: boolean; signal?: string } = {}): Promise<void> {
    if (this.#guard.exitCode !== null || this.#guard.signalCode !== null) return;
    this.#guard.ref();
    this.#guard.stdin.end(`${keep ? 'keep' : 'discard'} ${signal}\n`);
    await this.#ended;
  }
}

/** Gives a folder to the user that servers run as. */
export function handOver(folder: string): void {
  if (UNPRIVILEGED.uid !== undefined) chownSync(folder, NOBODY, NOBODY);
}

/** Runs a program as that user to its end. @throws with what it wrote when it fails */
export async function runUnprivileged(command: readonly [string, ...string[]], cwd: string): Promise<void> {
  const [file, ...args] = command;
  const child = spawn(file, args, { ...UNPRIVILEGED, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => (output += text.toString()));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${file} ended with ${code}:\n${output}`);
}

/** What clients that come too early are told is logged as fatal too. */
const CANNOT_START =
  /Address already in use|FATAL(?!:  (the database system is|terminating|sorry|remaining))/;

/** Waits until the server's log has `text` past `from` bytes. @throws with the log when it does not come */
export async function waitForLog(folder: string, text: string, from = 0): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const log = logOf(folder).slice(from);
    if (log.includes(text)) return;
    if (CANNOT_START.test(log) || performance.now() > deadline) {
      throw new Error(`the server did not say "${text}":\n${log}`);
    }
    await sleep(10);
  }
}

/** All that the server wrote so far. */
export function logOf(folder: string): string {
  try {
    return readFileSync(join(folder, 'log'), 'latin1');
  } catch {
    // Not written yet.
    return '';
  }
}
