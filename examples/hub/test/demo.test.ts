import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DATA_FOLDER } from '../src/dataset/data-folder.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const TIMEOUT_MS = 240_000;

describe('npm run demo -- --postgres', { timeout: TIMEOUT_MS }, () => {
  it('measures before and after, finds every check-in, and leaves nothing behind (S6)', async () => {
    const demo = startDemo();
    const output = text(demo.stdout!);
    const [code] = await once(demo, 'close');
    expect(await output).toMatch(/Ten 100 ms requests at once/);
    expect(await output).toMatch(/✓ before: ([\d,]+) of \1 acknowledged check-ins are in the table/);
    expect(await output).toMatch(/✓ after: ([\d,]+) of \1 acknowledged check-ins are in the table/);
    expect(await output).toMatch(/requests\/s \(goal 10×\) +[\d.,]+ +[\d.,]+/);
    expect(code).toBe(0);
    await untilNothingIsLeft(demo);
    expect(existsSync(runFolderOf(demo))).toBe(false);
  });

  it('stops its server when it is told to end', async () => {
    const demo = startDemo();
    await untilServerRuns(demo);
    demo.kill('SIGTERM');
    const [code] = await once(demo, 'close');
    expect(code).toBe(128 + 15);
    await untilNothingIsLeft(demo);
    expect(existsSync(runFolderOf(demo))).toBe(false);
  });

  it('leaves no server when it is killed', async () => {
    const demo = startDemo();
    await untilServerRuns(demo);
    demo.kill('SIGKILL');
    await once(demo, 'close');
    await untilNothingIsLeft(demo);
    // Its empty folder is for the next run to remove.
    await expect.poll(() => existsSync(join(runFolderOf(demo), 'postgres', 'data'))).toBe(false);
  });
});

function startDemo(): ChildProcess {
  const args = [MAIN, '--postgres', '--seconds', '1'];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

function runFolderOf({ pid }: ChildProcess): string {
  return join(DATA_FOLDER, `run-${pid}`);
}

async function untilServerRuns(demo: ChildProcess): Promise<void> {
  demo.stdout!.resume();
  const running = (): boolean => processesOf(demo).some((line) => /bin\/postgres -D/.test(line));
  await expect.poll(running, { timeout: 60_000, interval: 50 }).toBe(true);
}

/** What stands between us and the server ends right after it. */
async function untilNothingIsLeft(demo: ChildProcess): Promise<void> {
  await expect.poll(() => processesOf(demo), { timeout: 60_000 }).toEqual([]);
}

/** Command lines of the server and of what stands between: all name the folder. */
function processesOf(demo: ChildProcess): string[] {
  const lines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLineOf);
  return lines.filter((line) => line.includes(join(runFolderOf(demo), 'postgres')));
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // Ended meanwhile.
    return '';
  }
}
