import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Scratch } from './scratch.ts';

const SOURCE = fileURLToPath(new URL('io-shim.c', import.meta.url));

/** The words of the control file, in the order of io-shim.c. */
const WORDS = ['armed', 'calls', 'files', 'skip', 'times', 'action', 'seen', 'hits'] as const;

export const Calls = { sync: 1, write: 2, truncate: 4, unlink: 8 } as const;
export const Files = { log: 1, database: 2, journal: 4 } as const;
export const ALL_CALLS: number = Calls.sync | Calls.write | Calls.truncate | Calls.unlink;
export const ALL_FILES: number = Files.log | Files.database | Files.journal;

/** What happens to a call: an errno, or one of these. One that hangs goes on when the fault is there no more. */
export const Action = {
  count: 0,
  killBefore: -1,
  killAfter: -2,
  writeHalf: -3,
  hang: -4,
  noSpace: 28,
  ioError: 5,
} as const;

export interface Fault {
  /** Of `Calls`, added up. */
  readonly calls: number;
  /** Of `Files`, added up. */
  readonly files: number;
  /** Such calls that still pass. */
  readonly skip: number;
  /** Calls after those that are hit; -1 = all. */
  readonly times: number;
  readonly action: number;
}

/** Why the shim cannot be used here, if it cannot: no Linux, no compiler. */
export function missingShim(): string | undefined {
  if (process.platform !== 'linux') return 'LD_PRELOAD and /proc/self/fd are Linux’s';
  const { error } = spawnSync('cc', ['--version'], { stdio: 'ignore' });
  return error === undefined ? undefined : `there is no C compiler: ${error.message}`;
}

/** Builds the shim into `scratch`. */
export function buildShim(scratch: Scratch): void {
  const args = ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', SOURCE, '-o', libraryPath(scratch), '-ldl'];
  const { status, stderr } = spawnSync('cc', args, { encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`the shim could not be built: ${stderr}`);
}

/** The environment of a child whose calls on `database` go through the shim. */
export function shimEnvironment(scratch: Scratch, database: string, fault: Fault): Record<string, string> {
  const controlPath = `${database}.control`;
  const words = Buffer.alloc(WORDS.length * 4);
  WORDS.forEach((word, index) =>
    words.writeInt32LE(word in fault ? fault[word as keyof Fault] : 0, index * 4),
  );
  writeFileSync(controlPath, words);
  return { LD_PRELOAD: libraryPath(scratch), IO_SHIM_CONTROL: controlPath, IO_SHIM_DATABASE: database };
}

/** Calls that fitted the fault since it was armed, and those that were hit. */
export function readShim(database: string): { readonly seen: number; readonly hits: number } {
  const words = readFileSync(`${database}.control`);
  return { seen: readWord(words, 'seen'), hits: readWord(words, 'hits') };
}

/** For the child: from here on the fault is there, or not any more. */
export function arm(armed: boolean = true): void {
  const control = openSync(process.env['IO_SHIM_CONTROL']!, 'r+');
  writeSync(control, Int32Array.of(Number(armed)), 0, 4, 0);
  closeSync(control);
}

function readWord(words: Buffer, word: (typeof WORDS)[number]): number {
  return words.readInt32LE(WORDS.indexOf(word) * 4);
}

function libraryPath(scratch: Scratch): string {
  return scratch.file('io-shim.so');
}
