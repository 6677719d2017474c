import { existsSync, writeFileSync } from 'node:fs';
import { clearProgress, jsonReport, markdownReport, showProgress, terminalReport } from './report/index.ts';
import { runBench } from './run/bench.ts';
import { parseOptions, USAGE, type BenchOptions } from './run/options.ts';
import { chosenWorks } from './run/plan.ts';
import { WORKS } from './works/index.ts';

await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<void> {
  let options: BenchOptions | undefined;
  try {
    options = parseOptions(argv);
    if (options !== undefined) checkOptions(options);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    process.exitCode = 2;
    return;
  }
  if (options === undefined) process.stdout.write(`${USAGE}\n`);
  else await bench(options);
}

/** What can be refused before minutes are spent. */
function checkOptions(options: BenchOptions): void {
  chosenWorks(WORKS, options);
  const isBuilt = existsSync(new URL('../dist/index.js', import.meta.url));
  if (options.dist && !isBuilt)
    throw new RangeError('--dist: there is no dist/ yet; run `npm run build` first.');
}

async function bench(options: BenchOptions): Promise<void> {
  // Progress goes to stderr: stdout is the report alone, and with --json nothing but JSON.
  const result = await runBench(options, showProgress(process.stderr));
  clearProgress(process.stderr);
  process.stdout.write(`${options.json ? jsonReport(result) : terminalReport(result, process.stdout)}\n`);
  if (options.write) writeFileSync(new URL('RESULTS.md', import.meta.url), markdownReport(result));
  // A goal that was missed is a result; a peer that failed to run makes the comparison incomplete.
  if (result.results.failures().size > 0) process.exitCode = 1;
}
