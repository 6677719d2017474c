/**
 * C77: makes the mistakes that are likeliest here, one at a time in a copy of the source, and runs the tests
 * that must notice: `node test/fault/mutants/main.ts [number…]`. Ends with 1 where a mistake went unnoticed.
 * A quarter of an hour for all.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTANTS, type Mutant } from './mutants.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const COPIED = ['src', 'test', 'native', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const LIMIT_MS = 300_000;

type Verdict = 'noticed' | 'NOT NOTICED' | 'NOT TRIED';

const chosen = process.argv.slice(2).map(Number);
const numbers = chosen.length > 0 ? chosen : MUTANTS.map((_, index) => index + 1);
const copy = mkdtempSync(join(tmpdir(), 'millpond-mutants-'));
try {
  for (const part of COPIED) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const verdicts = numbers.map((number) => tell(number, MUTANTS[number - 1]!));
  const noticed = verdicts.filter((verdict) => verdict === 'noticed').length;
  console.log(`${noticed} of ${verdicts.length} mistakes noticed`);
  if (noticed < verdicts.length) process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true });
}

function tell(number: number, mutant: Mutant): Verdict {
  const startedAt = performance.now();
  const { verdict, by } = attempt(mutant);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  console.log(`${number}. ${mutant.mistake} (${mutant.file}): ${verdict} (${by}), ${seconds} s`);
  return verdict;
}

/** Its tests pass without the mistake and fail with it: only both together show something. */
function attempt({ file, right, wrong, tests }: Mutant): { verdict: Verdict; by: string } {
  const path = join(copy, 'src', file);
  const source = readFileSync(path, 'utf8');
  if (source.split(right).length !== 2) return { verdict: 'NOT TRIED', by: 'its place is not there once' };
  try {
    writeFileSync(
      path,
      source.replace(right, () => wrong),
    );
    const failing = tests.find((test) => !passes(test));
    if (failing === undefined) return { verdict: 'NOT NOTICED', by: tests.join(', ') };
    writeFileSync(path, source);
    return passes(failing)
      ? { verdict: 'noticed', by: failing }
      : { verdict: 'NOT TRIED', by: `${failing} fails without it` };
  } finally {
    writeFileSync(path, source);
  }
}

function passes(test: string): boolean {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--reporter=dot', '--bail=1', test];
  return spawnSync(process.execPath, args, { cwd: copy, timeout: LIMIT_MS, stdio: 'ignore' }).status === 0;
}
