import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

const SCRIPT = fileURLToPath(new URL('./scripts/service.ts', import.meta.url));

/** A service in a process of its own, killed when the test is over. */
export interface Service {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it has said so far. */
  readonly lines: Record<string, unknown>[];
  /** How it ended, and how long after this was called. */
  end(): Promise<{ code: number | null; signal: NodeJS.Signals | null; tookMs: number }>;
}

/** @param address of its database: a path is one of SQLite's */
export async function startService(
  address: string,
  options: object = {},
  ...flags: string[]
): Promise<Service> {
  const url = address.includes('://') ? address : `sqlite:${address}`;
  const child = spawn(process.execPath, [SCRIPT, url, JSON.stringify(options), ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: Record<string, unknown>[] = [];
  const ended = once(child, 'close');
  const output = createInterface({ input: child.stdout });
  const port = new Promise<number>((resolve, reject) => {
    output.on('line', (text) => {
      const line = JSON.parse(text) as Record<string, unknown>;
      lines.push(line);
      if (typeof line['port'] === 'number') resolve(line['port']);
    });
    void ended.then(() => reject(new Error('the service ended before it listened')));
  });
  return {
    url: `http://127.0.0.1:${await port}`,
    child,
    lines,
    end: async () => {
      const startedAt = performance.now();
      const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
      return { code, signal, tookMs: performance.now() - startedAt };
    },
  };
}
