import { existsSync, writeFileSync } from 'node:fs';
import { clearProgress, jsonReport, markdownReport, showProgress, terminalReport } from '../report/index.ts';
import type { Work } from '../works/index.ts';
import type { Bench, Progress } from './bench.ts';
import { parseOptions, usageOf, type BenchOptions } from './options.ts';
import { chosenWorks } from './plan.ts';

export interface Program {
  /** Its file, from the root. */
  readonly program: string;
  readonly works: readonly Work[];
  /** Where `--write` writes the report. */
  readonly results: URL;
  run(options: BenchOptions, onProgress: Progress): Promise<Bench>;
}

/** The command: reads the flags, runs, prints. */
export async function runMain(program: Program): Promise<void> {
  const usage = usageOf(program.program, program.results.pathname.split('/').at(-1)!);
  let options: BenchOptions | undefined;
  try {
    options = parseOptions(process.argv.slice(2));
    if (options !== undefined) checkOptions(options, program.works);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
    process.exitCode = 2;
    return;
  }
  if (options === undefined) process.stdout.write(`${usage}\n`);
  else await bench(options, program);
}

/** What can be refused before minutes are spent. */
function checkOptions(options: BenchOptions, works: readonly Work[]): void {
  chosenWorks(works, options);
  const isBuilt = existsSync(new URL('../../dist/index.js', import.meta.url));
  if (options.dist && !isBuilt)
    throw new RangeError('--dist: there is no dist/ yet; run `npm run build` first.');
}

async function bench(options: BenchOptions, { run, results }: Program): Promise<void> {
  // Progress goes to stderr: stdout is the report alone, and with --json nothing but JSON.
  const result = await run(options, showProgress(process.stderr));
  clearProgress(process.stderr);
  process.stdout.write(`${options.json ? jsonReport(result) : terminalReport(result, process.stdout)}\n`);
  if (options.write) writeFileSync(results, markdownReport(result));
  // A goal that was missed is a result; a peer that failed to run makes the comparison incomplete.
  if (result.results.failures().size > 0) process.exitCode = 1;
}
